"""Policy documents: how they are kept and read.

A service keeps its own in one shared table. A version never changes: the next one is added, the
highest is in force, and what was decided by an older one names it and can still read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Read, Transaction
from chassis.http.bodies import Body
from chassis.http.etags import Stale


class PolicyMissing(LookupError):
    """No version of a policy document is there: the database was not migrated by this service."""


class Policy(Body):
    """A kind of policy document; its members are what is decided.

    A member that is added later has a default: older versions were published without it.
    """

    kind: ClassVar[str]


class PolicyRow:
    """A version of a document, in the service's table ``policies``."""

    __tablename__ = "policies"

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class InForce[P: Policy]:
    """What decides now. A refusal by it names ``version`` as its ``policy_version``."""

    version: int
    policy: P

    @classmethod
    def among(cls, said: Mapping[str, Any] | None, shape: type[P]) -> "InForce[P]":
        """One of those that ``Documents.together`` has selected.

        Raises:
            PolicyMissing: none of its kind was ever published.
        """
        found = (said or {}).get(shape.kind)
        if found is None:
            raise PolicyMissing(shape.kind)
        return cls(found["version"], shape.model_validate(found["document"]))


class Documents:
    """The documents of one service, which keeps them as ``rows``; ``kind`` is the column that says which one it is."""

    def __init__(self, rows: type[PolicyRow], *, kind: str = "kind") -> None:
        self.rows: Final = rows
        self.kind: Final = kind
        self._then: Final = (
            f"select version, document::text as document from policies where {kind} = $1"  # noqa: S608 (a column)
            " order by published_at <= $2 desc, case when published_at <= $2 then version else -version end desc limit 1"
        )
        self._newest: Final = f"select version, document::text as document from policies where {kind} = $1 order by version desc limit 1"  # noqa: S608 (a column)

    async def in_force[P: Policy](self, tx: Transaction, shape: type[P]) -> InForce[P]:
        """The document of this kind that decides now.

        Raises:
            PolicyMissing: none was ever published.
        """
        row = (await tx.session.execute(self.newest(shape.kind))).one_or_none()
        if row is None:
            raise PolicyMissing(shape.kind)
        return InForce(row.version, shape.model_validate(row.document))

    async def at[P: Policy](self, tx: Transaction, shape: type[P], version: int) -> P:
        """The version that was pinned where it was applied.

        Raises:
            PolicyMissing: it was never published.
        """
        pinned = select(self.rows.document).where(self.rows.kind == shape.kind, self.rows.version == version)
        document = (await tx.session.execute(pinned)).scalar_one_or_none()
        if document is None:
            raise PolicyMissing(f"{shape.kind} {version}")
        return shape.model_validate(document)

    async def read[P: Policy](self, read: Read, shape: type[P]) -> InForce[P]:
        """As ``in_force``, for whoever reads.

        Raises:
            PolicyMissing: none was ever published.
        """
        row = await read.connection.fetchrow(self._newest, shape.kind)
        if row is None:
            raise PolicyMissing(shape.kind)
        return InForce(row["version"], shape.model_validate_json(row["document"]))

    async def then[P: Policy](self, read: Read, shape: type[P], moment: datetime) -> InForce[P]:
        """What decided at a past moment, of real time; before anything was published, the first.

        Raises:
            PolicyMissing: none was ever published.
        """
        row = await read.connection.fetchrow(self._then, shape.kind, moment)
        if row is None:
            raise PolicyMissing(shape.kind)
        return InForce(row["version"], shape.model_validate_json(row["document"]))

    async def add(self, tx: Transaction, policy: Policy, version: int) -> None:
        """Keep the next version.

        Raises:
            Stale: somebody added it in the same moment.
        """
        row = {"kind": policy.kind, "version": version, "document": policy.model_dump(mode="json"), "published_at": tx.real_now}
        named = {getattr(self.rows, name): value for name, value in row.items()}
        added = insert(self.rows).values(named).on_conflict_do_nothing().returning(self.rows.version)
        if (await tx.session.execute(added)).one_or_none() is None:
            raise Stale(version=version)

    def newest(self, kind: str) -> Select[Any]:
        """The row of a kind that is in force."""
        rows = self.rows
        newest = select(rows.version, rows.document, rows.published_at).where(rows.kind == kind)
        return newest.order_by(rows.version.desc()).limit(1)

    def together(self, *shapes: type[Policy]) -> ScalarSelect[Any]:
        """Several at once, as one column of a statement that looks at more than policies; ``InForce.among`` takes them out."""
        rows = self.rows
        kinds = [shape.kind for shape in shapes]
        each = select(rows.kind, rows.version, rows.document).where(rows.kind.in_(bindparam("policy_kinds", kinds, expanding=True)))
        newest = each.ext(distinct_on(rows.kind)).order_by(rows.kind, rows.version.desc()).subquery()
        said = func.jsonb_build_object("version", newest.c.version, "document", newest.c.document)
        return select(func.jsonb_object_agg(newest.c.kind, said)).scalar_subquery()
