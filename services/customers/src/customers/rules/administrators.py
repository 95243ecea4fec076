"""Partner Administrators: of the active ones there is always one left (CUS-83).

Whoever takes one away holds the role's own row meanwhile, so of two who take each other's one comes first.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from chassis.database import Transaction
from chassis.http.views import View
from customers.errors.roles import LastAdministrator
from customers.rules.predefined import PARTNER_ADMINISTRATOR
from customers.tables.roles import Role
from customers.tables.users import User

PEOPLE: Final = ("partner", "operator")
"""Kinds of users that can be Partner Administrators: an API key leads nobody."""


class WarningView(View, frozen=True, kw_only=True):
    """What should not stay as it is."""

    code: str
    rule: str | None
    detail: str
    remedy: str


async def role_id(tx: Transaction) -> UUID:
    """The partner's role of Partner Administrators."""
    mine = select(Role.id).where(Role.partner_id == tx.partner_id, Role.predefined, Role.name == PARTNER_ADMINISTRATOR)
    return (await tx.session.scalars(mine)).one()


async def keep_another(tx: Transaction, user: User) -> None:
    """Before a user is taken its role, disabled or removed: there must be another Partner Administrator, if it is one. Hold the user first.

    Raises:
        LastAdministrator: there is none.
    """
    role = await role_id(tx)
    if role not in user.role_ids or user.status != "active" or user.kind not in PEOPLE:
        return
    await tx.session.execute(select(Role.id).where(Role.partner_id == tx.partner_id, Role.id == role).with_for_update(key_share=True))
    others = select(func.count()).where(User.partner_id == tx.partner_id, User.id != user.id, *_active(role))
    if not (await tx.session.execute(others)).scalar_one():
        raise LastAdministrator


async def active(tx: Transaction) -> int:
    """How many there are."""
    all_of_them = select(func.count()).where(User.partner_id == tx.partner_id, *_active(await role_id(tx)))
    return int((await tx.session.execute(all_of_them)).scalar_one())


def warnings(active: int) -> list[WarningView]:
    """A partner should have a second active Partner Administrator."""
    if active > 1:
        return []
    detail = "There is only one active Partner Administrator: nobody else can change roles, or help where it cannot sign in."
    return [WarningView(code="only_one_administrator", rule=LastAdministrator.rule, detail=detail, remedy=LastAdministrator.remedy)]


def _active(role: UUID) -> tuple[ColumnElement[bool], ...]:
    return User.status == "active", User.kind.in_(PEOPLE), User.role_ids.any_() == role
