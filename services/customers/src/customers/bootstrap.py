"""Bootstrap: what no API can make, because nobody is signed in yet: the root party and its first operator."""

from dataclasses import dataclass

from sqlalchemy import select

from chassis.database import Transaction
from contracts.root import ROOT_PARTNER_ID
from customers.rules.admission import Admission, admit
from customers.rules.founding import Founding, found
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    email: str
    password_hash: str


async def bootstrap(tx: Transaction, command: Bootstrap) -> bool:
    """Make the root party, its roles and its first operator. Where there is an operator already it changes nothing and answers False."""
    operators = select(User.id).where(User.partner_id == ROOT_PARTNER_ID, User.kind == "operator").limit(1)
    if (await tx.session.execute(operators)).first() is not None:
        return False
    _, roles = await found(tx, Founding(name="Root", country="ZZ"))
    operator = Admission(
        kind="operator",
        name="Operator",
        email=command.email,
        language="en",
        user_id=tx.new_id(),
        role_ids=(roles.partner_administrator.id,),
        password_hash=command.password_hash,
    )
    await admit(tx, operator)
    return True
