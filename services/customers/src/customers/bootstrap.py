"""Bootstrap: what no API can make, because nobody is signed in yet: the root party and its first operator."""

from dataclasses import dataclass

from sqlalchemy import select

from chassis.database import Transaction
from contracts.customers.partners import PartnerRegistered, SupportInfo
from contracts.root import ROOT_PARTNER_ID
from customers.rules import predefined
from customers.rules.admission import Admission, admit
from customers.rules.names import search_key
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    email: str
    password_hash: str


async def bootstrap(tx: Transaction, command: Bootstrap) -> bool:
    """Make the root party, its roles and its first operator. Where there is an operator already it changes nothing and answers False."""
    found = select(User.id).where(User.partner_id == ROOT_PARTNER_ID, User.kind == "operator").limit(1)
    if (await tx.session.execute(found)).first() is not None:
        return False
    root = Partner(
        partner_id=ROOT_PARTNER_ID,
        id=ROOT_PARTNER_ID,
        name="Root",
        name_key=search_key("Root"),
        country="ZZ",
        status="active",
        parent_id=None,
        ancestors=[],
        language="en",
        time_zone="UTC",
        support=SupportInfo().model_dump(),
        registered_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(root)
    await tx.session.flush()
    tell_partner(tx, root, PartnerRegistered(parent_id=None, country=root.country))
    roles = await predefined.give(tx)
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
