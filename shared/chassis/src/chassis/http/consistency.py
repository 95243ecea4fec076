"""Reading your own writes: a write says which versions it made, and whoever sends that back is not answered from before them.

``Partnerdeck-Consistency: customer/<id>/3,user/<id>/1`` comes with the answer of a write and may be
sent with any later request to any service. The service waits until its own rows have these
versions, at most two seconds, and says ``behind`` where they have not come by then. A kind that the
service does not follow is none of its business.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chassis.database.outbox import Told
from chassis.errors import Kind, Refusal
from chassis.principal import Principal
from contracts.records import Fact

HEADER: Final = "partnerdeck-consistency"
BEHIND: Final = "behind"
MOST: Final = 16

FOLLOWED: Final[Mapping[str, Sequence[str]]] = {
    "partner": ("access_partners",),
    "user": ("access_users",),
    "role": ("access_roles",),
    "customer": ("access_customers",),
}
"""What every service follows: the tables with the rows of each kind, by ``id`` and ``version``."""

_PRINCIPALS_OWN: Final = frozenset({"user", "role"})
"""Kinds of which everybody sees its own partner's rows alone, whomever it acts as."""

type Fetch = Callable[..., Awaitable[Any]]


class BadConsistencyToken(Refusal):
    """Partnerdeck-Consistency is no token of ours."""

    kind = Kind.MALFORMED
    code = "bad_consistency_token"
    remedy = "Send it as a write answered it, or leave it out."


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One entity at the version that somebody has written."""

    kind: str
    id: UUID
    version: int

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}/{self.version}"


def followed(kind: str, caller: Principal) -> Sequence[str]:
    """Where access rows of a kind are looked for; nowhere, where they are another's and decide nothing of the caller's rights."""
    elsewhere = caller.kind == "operator" or caller.acting_as is not None
    if elsewhere and (kind in _PRINCIPALS_OWN or (kind == "customer" and caller.acting_as is None)):
        return ()
    return FOLLOWED.get(kind, ())


def token(told: Iterable[Told]) -> str | None:
    """What a transaction's answer says of the states it told; None when it told none. Of many the first ones."""
    marks = [Mark(one.about.kind, one.about.id, one.about.version) for one in told if not isinstance(one.record, Fact)]
    return ",".join(map(str, marks[:MOST])) or None


def read(header: str | None) -> list[Mark]:
    """The marks of a token; none without one.

    Raises:
        BadConsistencyToken: it is malformed, or has more than 16 marks.
    """
    if header is None or header == BEHIND:
        return []
    parts = header.split(",")
    if len(parts) > MOST:
        raise BadConsistencyToken
    return [_mark(part.strip()) for part in parts]


async def reached(fetch: Fetch, marks: Iterable[tuple[str, Mark]], partner_id: UUID | None) -> bool:
    """Whether every mark is reached in its table, of one partner or, for whoever reads across partners, of any.

    ``fetch`` runs one statement with positional parameters and answers rows; the tables are
    relations that the caller may read. A row that is hidden from the caller does not come, as one
    that does not exist.
    """
    for table, mark in marks:
        found = f"select from {table} where (partner_id = $3 or $3::uuid is null) and id = $1 and version >= $2"
        if not await fetch(found, mark.id, mark.version, partner_id):
            return False
    return True


def _mark(text: str) -> Mark:
    try:
        kind, entity, version = text.split("/")
        mark = Mark(kind, UUID(entity), int(version))
    except ValueError as bad:
        raise BadConsistencyToken from bad
    if not 0 <= mark.version < 2**63 or not kind.isidentifier():
        raise BadConsistencyToken
    return mark
