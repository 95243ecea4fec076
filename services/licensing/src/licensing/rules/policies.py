"""Policy documents in force: the highest version of each name (BEY-04)."""

from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import select

from chassis.database import Transaction
from licensing.errors import PolicyMissing
from licensing.tables.policies import PolicyDocument


@dataclass(frozen=True, slots=True)
class InForce[P: BaseModel]:
    version: int
    policy: P


async def in_force[P: BaseModel](tx: Transaction, name: str, shape: type[P]) -> InForce[P]:
    """The document of this name that decides now.

    Raises:
        PolicyMissing: none was ever published.
    """
    newest = select(PolicyDocument).where(PolicyDocument.name == name).order_by(PolicyDocument.version.desc()).limit(1)
    found = (await tx.session.execute(newest)).scalar_one_or_none()
    if found is None:
        raise PolicyMissing(name)
    return InForce(found.version, shape.model_validate(found.document))
