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


EVERYTHING: Final = tuple(sorted(Permission))
"""What a Partner Administrator may."""

EVERYDAY: Final = tuple(sorted(set(Permission) - {Permission.ROLES_MANAGE, Permission.USERS_MANAGE, Permission.PARTNER_MANAGE}))
"""What an Administrator may: everything with customers, nothing with users, roles and the partner itself (CUS-80)."""
