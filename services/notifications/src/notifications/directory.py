"""Directory: partners, users, roles and customers as far as mails depend on them.

Read models over customers' state topics; versions decide. When a user or a customer ends, its
mails end with it: they hold an address and nothing else that could be kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, inspect

from chassis.access.projection import follow
from chassis.consumers import Projection
from chassis.consumers.events import Tombstone
from chassis.database import Work
from chassis.database.tables import Base
from contracts.customers.customers import CustomerChanged
from contracts.customers.partners import PartnerChanged
from contracts.customers.roles import RoleChanged
from contracts.customers.users import UserChanged
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import Role, User


def _partner(record: PartnerChanged) -> dict[str, Any]:
    state = record.state
    return {"partner_id": state.id, "id": state.id, "name": state.name, "language": state.language, **state.support.model_dump()}


def _user(record: UserChanged) -> dict[str, Any]:
    kept = ("partner_id", "id", "customer_id", "kind", "status", "name", "email", "language", "role_ids")
    change = record.state.email_change
    said = {name: getattr(record.state, name) for name in kept}
    return said | {"email_change": change.model_dump(mode="json") if change else None}


def _role(record: RoleChanged) -> dict[str, Any]:
    kept = ("partner_id", "id", "predefined", "permissions")
    return {name: getattr(record.state, name) for name in kept}


def _customer(record: CustomerChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "status": state.status,
        "management_type": state.management_type,
        "communications_mode": state.communications_mode,
        "company": state.company.name,
        "first_admin_id": state.first_admin.user_id,
        "first_admin_email": state.first_admin.email,
        "welcome_link_id": state.welcome_link_id,
        "contact": state.contact.model_dump(include={"name", "email", "language"}),
        "stages": [one.model_dump(mode="json") for one in state.stages],
        "moving": state.moving_to is not None,
    }


def _table(noun: type[Base]) -> Table:
    table = inspect(noun).local_table
    if not isinstance(table, Table):
        raise TypeError(f"{noun.__name__} is mapped to no table")
    return table


def _erasing(projection: Projection[Any], about: ColumnElement[UUID] | ColumnElement[UUID | None]) -> Projection[Any]:
    """The projection, which also ends the mails of whoever ended."""

    async def forget(work: Work, ended: Sequence[Tombstone]) -> None:
        gone = delete(Mail).where(about.in_([one.entity_id for one in ended]))
        await work.session.execute(gone, execution_options={"across_partners": "a tombstone says which entity ends, not whose it was"})
        await projection.forget(work, ended)

    return replace(projection, forget=forget)


PROJECTIONS: Final[Sequence[Projection[Any]]] = (
    follow(PartnerChanged, _table(Partner), _partner),
    follow(RoleChanged, _table(Role), _role),
    _erasing(follow(UserChanged, _table(User), _user), Mail.user_id.expression),
    _erasing(follow(CustomerChanged, _table(Customer), _customer), Mail.customer_id.expression),
)
