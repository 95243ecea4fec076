"""Administrators: who at a partner gets the mail that concerns the partner (CUS-79)."""

from sqlalchemy import Select, any_, exists, select

from chassis.access.permissions import Permission
from chassis.database import Transaction
from notifications.tables.users import Role, User


def active(tx: Transaction) -> Select[User]:
    """The partner's active users with the predefined role that manages the partner itself."""
    manages = (
        exists()
        .where(Role.partner_id == tx.partner_id, Role.id == any_(User.role_ids), Role.predefined)
        .where(Role.permissions.contains([str(Permission.PARTNER_MANAGE)]))
    )
    return (
        select(User)
        .where(User.partner_id == tx.partner_id, User.kind == "partner", User.status == "active", User.email.is_not(None), manages)
        .order_by(User.id)
    )
