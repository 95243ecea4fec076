"""Access: who may do what with which customer, read from this service's own projection."""

from chassis.access.permissions import Permission
from chassis.access.rights import Rights

__all__ = ["Permission", "Rights"]
