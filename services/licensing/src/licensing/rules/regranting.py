"""Regranting: what running programmes grant follows the capability matrix, one programme at a time, as due work (C-7, BEY-04).

It looks at how things are when its time has come, so a matrix that was followed by another one costs nothing.
"""

from typing import Final, cast

from sqlalchemy import ARRAY, Text, bindparam, func, select

from chassis.database import Transaction
from chassis.due import Due, DueItem
from chassis.policies import Policy
from licensing.rules import policies
from licensing.rules.capabilities import CapabilityMatrix
from licensing.rules.telling import tell_programme
from licensing.tables.programmes import Programme

_PLAN: Final = select(func.door.plan_regrants(bindparam("granted", type_=ARRAY(Text))))


async def plan(tx: Transaction, published: Policy) -> None:
    """In the transaction that publishes a matrix: plan it for every running programme that it concerns."""
    matrix = cast("CapabilityMatrix", published)
    await tx.session.execute(_PLAN, {"granted": matrix.granted("service_provider")})


async def regrant(tx: Transaction, item: DueItem) -> None:
    """Let a programme grant what the matrix in force says; it tells its new state, if that is another."""
    mine = select(Programme).where(Programme.partner_id == tx.partner_id, Programme.id == item.subject).with_for_update()
    programme = (await tx.session.scalars(mine)).one_or_none()
    matrix = await policies.in_force(tx, CapabilityMatrix)
    granted = matrix.policy.granted("service_provider")
    if programme is None or programme.status != "active" or programme.capabilities == granted:
        return
    programme.capabilities = granted
    await tell_programme(tx, programme)


REGRANT: Final = Due("programme.regrant", regrant)
