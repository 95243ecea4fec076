"""Planners: whether whoever planned something with a customer for later may still do it when its time has come."""

from typing import Final, cast
from uuid import UUID

from sqlalchemy import select, text

from chassis.access.rights import AccessEnded, require_level, rights_of
from chassis.database import Transaction
from chassis.http.admission import Needs
from chassis.principal import Principal
from contracts.customers.users import UserKind
from customers.rules.capabilities import Action
from customers.tables.customers import Customer
from customers.tables.users import User

_ACROSS: Final = {"across_partners": "who plans may be of a partner above"}
_ENTER: Final = text(
    "select set_config('app.partner', :partner, true), set_config('app.actor', :actor, true), set_config('app.principal', :user, true)"
)
_NOBODY: Final = {"partner": "", "actor": "", "user": ""}


async def require(tx: Transaction, planner: UUID, action: Action, customer: Customer) -> None:
    """Go on only if the planner may do it now, whatever it has signed in with since. For workers.

    Raises:
        Refusal: it is not there any more, or its rights do not suffice.
    """
    user = (await tx.session.scalars(select(User).where(User.id == planner), execution_options=_ACROSS)).one_or_none()
    if user is None:
        raise AccessEnded
    acting_as = tx.partner_id if user.partner_id != tx.partner_id else None
    kind = cast("UserKind", user.kind)
    who = Principal(kind=kind, user_id=user.id, partner_id=user.partner_id, gen=user.gen, acting_as=acting_as)
    fetchrow = (await tx.driver()).fetchrow
    await tx.session.execute(_ENTER, {"partner": str(tx.partner_id), "actor": str(user.partner_id), "user": str(user.id)})
    try:
        rights = await rights_of(fetchrow, who, enrolling=True)
        Needs(permission=action.permission, kinds=action.kinds).check(rights)
        await require_level(fetchrow, rights, customer.id, write=True)
    finally:
        await tx.session.execute(_ENTER, _NOBODY)
