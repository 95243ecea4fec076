"""Rights of one principal, read in the request's own transaction.

A user has one or more roles: permissions are the union, the highest level wins. Inside a
role an explicit customer decides first, then the highest of its tags, then *All customers*,
then the default (CUS-85 to CUS-91). No access means absent. An API key has of its roles' permissions
those that are among its scopes (MKT-17).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from chassis.access.permissions import Permission
from chassis.database.clocks import PartnerClock, clock_of
from chassis.errors import Kind, Refusal
from chassis.principal import Principal
from contracts.customers.roles import Level

RANK: Final[dict[Level, int]] = {"none": 0, "read": 1, "read_write": 2}


class AccessEnded(Refusal):
    """Your sign-in is no longer valid."""

    kind = Kind.UNAUTHENTICATED
    code = "access_ended"
    remedy = "Exchange the refresh token for a new access token; where that is refused, sign in again."


class SecondFactorRequired(Refusal):
    """Your partner requires a second factor, and you have none."""

    kind = Kind.FORBIDDEN
    code = "second_factor_required"
    remedy = "Enrol one with POST /v1/me/second-factor; until then nothing else is possible."
    rule = "MKT-04"


class AccessUnconfirmed(Refusal):
    """Your access is not known here yet."""

    kind = Kind.UNAVAILABLE
    code = "access_unconfirmed"
    remedy = "Try again in a moment."


class UserUnknown(AccessUnconfirmed):
    """Nothing is known of you here."""


class NotAllowed(Refusal):
    """Your roles do not allow this."""

    kind = Kind.FORBIDDEN
    code = "not_allowed"
    remedy = "Ask a Partner Administrator of your partner for a role that allows it."
    rule = "CUS-86"


class ReadOnly(Refusal):
    """Your access to this customer is read only."""

    kind = Kind.FORBIDDEN
    code = "read_only_access"
    remedy = "Ask a Partner Administrator for Read/Write access to this customer."
    rule = "CUS-85"


class ShownOtherwise(Refusal):
    """What you may see has changed meanwhile."""

    kind = Kind.CONFLICT
    code = "access_changed"
    remedy = "Ask for it again, from its beginning."
    rule = "CUS-85"


class CustomerNotFound(Refusal):
    """There is no such customer."""

    kind = Kind.NOT_FOUND
    code = "customer_not_found"
    remedy = "Check the id; list the customers you can see with GET /v1/customers."


class ActingRefused(Refusal):
    """You may not act as this partner."""

    kind = Kind.NOT_FOUND
    code = "partner_not_found"
    remedy = "Act only as a partner below your own that has not shut you out."


class CustomerShutOut(Refusal):
    """The customer has closed itself to its partner and those above."""

    kind = Kind.FORBIDDEN
    code = "customer_shut_out"
    remedy = "Ask the customer to open itself again; its own users do that with POST /v1/customers/{customer_id}/let-in."
    rule = "MKT-05"


type Line = Literal["customer", "tag", "all_customers", "default"]
"""What in a role decides about a customer: that it is named, one of its tags, *All customers*, or the default."""


class Decided(NamedTuple):
    """A level, and what in the role decided it; ``tag`` is which one, where it was a tag."""

    level: Level
    line: Line
    tag: str | None = None


class RoleGrant(msgspec.Struct, frozen=True):
    """What one role gives."""

    permissions: tuple[str, ...]
    all_customers: Level | None
    default_level: Level
    customers: dict[str, Level]
    tags: dict[str, Level]

    def level(self, customer_id: UUID, tags: Sequence[str]) -> Level:
        return self.decided(customer_id, tags).level

    def decided(self, customer_id: UUID, tags: Sequence[str]) -> Decided:
        explicit = self.customers.get(str(customer_id))
        if explicit is not None:
            return Decided(explicit, "customer")
        highest = max((tag for tag in tags if tag in self.tags), key=lambda tag: RANK[self.tags[tag]], default=None)
        if highest is not None:
            return Decided(self.tags[highest], "tag", highest)
        if self.all_customers is not None:
            return Decided(self.all_customers, "all_customers")
        return Decided(self.default_level, "default")

    @property
    def uneven(self) -> bool:
        return bool(self.customers or self.tags)


class Shown(NamedTuple):
    """What decides which customers somebody is shown: the levels of each role, and which customers have the tags that these name."""

    levels: tuple[tuple[Level | None, Level, dict[str, Level], dict[str, Level]], ...]
    tagged: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one principal may do for the tenant of its request.

    ``told`` are the grants as JSON where customers was asked for them; None where they are what the projection says.
    ``clock`` is the tenant's, where it is a sandbox.
    """

    principal: Principal
    grants: tuple[RoleGrant, ...]
    told: str | None = None
    clock: PartnerClock | None = None

    def require(self, permission: Permission) -> None:
        if self.principal.kind == "operator":
            return
        if not any(permission in grant.permissions for grant in self.grants):
            raise NotAllowed(permission=str(permission))

    def level(self, customer_id: UUID, tags: Sequence[str]) -> Level:
        """The highest level any role gives for a customer."""
        match self.principal.kind:
            case "operator":
                return "read_write"
            case "customer":
                return "read_write" if customer_id == self.principal.customer_id else "none"
            case _:
                levels = [grant.level(customer_id, tags) for grant in self.grants]
                return max(levels, key=RANK.__getitem__, default="none")

    @property
    def restricted(self) -> bool:
        """Whether lists must leave customers out."""
        if self.principal.kind in {"operator", "customer"}:
            return False
        return not any(not grant.uneven and (grant.all_customers or grant.default_level) != "none" for grant in self.grants)


_RIGHTS: Final = """
select u.kind, u.status, u.gen, u.customer_id, p.status as partner_status, t.status as tenant_status,
       t.shut_out, t.ancestors, c.ahead, c.standing_at,
       u.kind in ('partner', 'operator') and not u.second_factor and door.second_factor_required(u.partner_id) as must_enrol,
       (select coalesce(jsonb_agg(jsonb_build_object(
                 'permissions', case when u.scopes is null then r.permissions
                                     else array(select unnest(r.permissions) intersect select unnest(u.scopes) order by 1) end,
                 'all_customers', r.all_customers, 'default_level', r.default_level, 'customers', r.customers, 'tags', r.tags)
               order by r.id), '[]')::text
          from access_roles r where r.partner_id = u.partner_id and r.id = any(u.role_ids)) as grants
  from access_users u
  join access_partners p on p.id = u.partner_id
  left join access_partners t on t.id = $3
  left join door.clock_of($3) c on true
 where u.partner_id = $1 and u.id = $2
"""

_TAGGED: Final = """
select coalesce(sum(hashtextextended(id::text || tags::text, 0)), 0)::text as tagged
  from access_customers where partner_id = $1 and tags && $2::text[]
"""
_CUSTOMER: Final = "select tags, shut_out from access_customers where partner_id = $1 and id = $2"

type FetchRow = Callable[..., Awaitable[Any]]


async def rights_of(
    fetchrow: FetchRow, principal: Principal, *, lenient: bool = False, enrolling: bool = False, waking: bool = False
) -> Rights:
    """Read what the principal may do now.

    ``fetchrow`` runs one statement with positional parameters in the request's transaction.
    ``lenient`` takes what was told of the user before its token was made. ``enrolling`` is for the
    operations that give a user its second factor, and for no others; ``waking`` for the one that ends a partner's rest.

    Raises:
        AccessUnconfirmed: what customers told of the user has not arrived here.
        AccessEnded: the user, its partner or this generation of its tokens is no longer valid. A customer's users go on
            while its partner rests.
        SecondFactorRequired: the user must have a second factor, and has none.
        ActingRefused: the tenant is no descendant of the principal's partner, or has shut it out.
    """
    row = await fetchrow(_RIGHTS, principal.partner_id, principal.user_id, principal.tenant)
    active = row is not None and row["status"] == "active" and (row["partner_status"] == "active" or row["kind"] == "customer")
    if row is None:
        raise UserUnknown(retry_after=1)
    if row["gen"] < principal.gen and not (lenient and active):
        raise AccessUnconfirmed(retry_after=1)
    if not active or row["gen"] > principal.gen:
        raise AccessEnded
    if row["must_enrol"] and not enrolling:
        raise SecondFactorRequired
    if principal.acting_as and principal.acting_as != principal.partner_id:
        _may_act(principal, row, waking=waking)
    return Rights(principal=principal, grants=_grants(row["grants"]), clock=clock_of(row))


async def require_level(fetchrow: FetchRow, rights: Rights, customer_id: UUID, *, write: bool) -> None:
    """Refuse a customer that the principal may not see, or not change.

    An operator who acts as nobody reads across partners: which of them has the customer, if any, is for the reading to say.

    Raises:
        CustomerNotFound: there is none, or the level is *No access*.
        ReadOnly: the level is *Read* and a change was asked for.
        CustomerShutOut: the customer has closed itself to those above, and one of them asks for a change as its partner (MKT-05).
    """
    if rights.principal.kind == "operator" and rights.principal.acting_as is None and not write:
        return
    row = await fetchrow(_CUSTOMER, rights.principal.tenant, customer_id)
    level = rights.level(customer_id, row["tags"]) if row else "none"
    if level == "none":
        raise CustomerNotFound
    if write and level == "read":
        raise ReadOnly
    if write and row["shut_out"] and _acts_from_above(rights.principal):
        raise CustomerShutOut


def _acts_from_above(principal: Principal) -> bool:
    return principal.kind != "operator" and principal.acting_as not in {None, principal.partner_id}


async def shown_by(fetchrow: FetchRow, rights: Rights) -> Shown:
    """What is to be compared by whoever goes on with what it read in an earlier transaction: where it is the same, so is what is shown."""
    tags = sorted({tag for grant in rights.grants for tag in grant.tags})
    row = await fetchrow(_TAGGED, rights.principal.tenant, tags) if tags else None
    levels = tuple((grant.all_customers, grant.default_level, grant.customers, grant.tags) for grant in rights.grants)
    return Shown(levels, row and row["tagged"])


def _may_act(principal: Principal, row: Any, *, waking: bool) -> None:
    below = row["ancestors"] is not None and principal.partner_id in row["ancestors"]
    if not below or (row["shut_out"] and principal.kind != "operator"):
        raise ActingRefused
    if row["tenant_status"] != "active" and principal.kind != "operator" and not waking:
        raise ActingRefused


@lru_cache(maxsize=256)
def _grants(encoded: str) -> tuple[RoleGrant, ...]:
    return tuple(msgspec.json.decode(encoded, type=list[RoleGrant]))
