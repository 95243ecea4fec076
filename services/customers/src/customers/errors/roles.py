"""Why customers refuses to make a role so, or to give it."""

from chassis.errors import Kind, Refusal


class NoSuchRole(Refusal):
    """There is no such role."""

    kind = Kind.NOT_FOUND
    code = "role_not_found"
    remedy = "Check the id; list roles with GET /v1/roles."


class RoleNameTaken(Refusal):
    """There is a role of this name."""

    kind = Kind.CONFLICT
    code = "role_name_taken"
    remedy = "Choose another name, or edit that role."
    rule = "CUS-86"


class PredefinedRole(Refusal):
    """A predefined role is never edited."""

    kind = Kind.CONFLICT
    code = "predefined_role"
    remedy = "Make a role of your own with POST /v1/roles."
    rule = "CUS-79"


class OwnRole(Refusal):
    """Nobody changes the roles that are one's own."""

    kind = Kind.FORBIDDEN
    code = "own_role"
    remedy = "Ask another Partner Administrator to do it."
    rule = "CUS-82"


class LastAdministrator(Refusal):
    """It is the only active Partner Administrator."""

    kind = Kind.CONFLICT
    code = "last_administrator"
    remedy = "Make another user a Partner Administrator first, with PUT /v1/users/{user_id}/roles."
    rule = "CUS-83"


class RoleInUse(Refusal):
    """Users have this role."""

    kind = Kind.CONFLICT
    code = "role_in_use"
    remedy = "Give the users that `user_ids` names other roles first, with PUT /v1/users/{user_id}/roles."
    rule = "CUS-86"


class AdministratorsOnly(Refusal):
    """Only Partner Administrators manage roles."""

    kind = Kind.INVALID
    code = "administrators_only"
    remedy = "Leave the permission out; make the user a Partner Administrator instead."
    rule = "CUS-80"


class DefaultLevelLocked(Refusal):
    """The default level has no say while *All customers* is placed."""

    kind = Kind.INVALID
    code = "default_level_locked"
    remedy = "Leave `default_level` out, or send `all_customers` as null."
    rule = "CUS-87"


class RemovingDisabled(Refusal):
    """Who only reads all customers does not remove any."""

    kind = Kind.INVALID
    code = "removing_disabled"
    remedy = "Leave `customers.remove` out of the permissions, or place *All customers* elsewhere."
    rule = "CUS-89"


class PermissionDisabled(Refusal):
    """Who has no access to all customers does not add, import or remove any."""

    kind = Kind.INVALID
    code = "permission_disabled"
    remedy = "Leave `customers.add`, `customers.import` and `customers.remove` out, or place *All customers* elsewhere."
    rule = "CUS-90"


class CustomersUnknown(Refusal):
    """A customer does not exist."""

    kind = Kind.INVALID
    code = "customer_not_found"
    remedy = "Place customers that GET /v1/customers lists."
    rule = "CUS-86"


class TooManyPlaced(Refusal):
    """A role does not name so many customers one by one."""

    kind = Kind.CONFLICT
    code = "too_many_customers"
    remedy = "Tag the customers with PUT /v1/customers/{customer_id}/tags, and place the tag."
    rule = "CUS-86"
