"""Permissions that a role can carry (CUS-79, CUS-86)."""

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    CUSTOMERS_ADD = "customers.add"
    CUSTOMERS_IMPORT = "customers.import"
    CUSTOMERS_REMOVE = "customers.remove"
    PRODUCTS_MANAGE = "products.manage"
    PROGRAMMES_MANAGE = "programmes.manage"
    USERS_MANAGE = "users.manage"
    ROLES_MANAGE = "roles.manage"
    PARTNER_MANAGE = "partner.manage"
    AUDIT_READ = "audit.read"


EVERYTHING: Final = tuple(sorted(Permission))
"""What a Partner Administrator may."""

_OVERSEEING: Final = {Permission.ROLES_MANAGE, Permission.USERS_MANAGE, Permission.PARTNER_MANAGE, Permission.AUDIT_READ}
EVERYDAY: Final = tuple(sorted(set(Permission) - _OVERSEEING))
"""What an Administrator may: everything with customers, nothing with users, roles, the partner itself and the audit (CUS-80)."""
