"""Serial numbers: those that operators gave out, and those that licensing gives its subscriptions.

A loaded number belongs to whoever activates it first; unique indexes over the programmes and
subscriptions that carry one keep that true when two come at once.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from chassis.database import Transaction, locks
from licensing.errors import SerialOfOtherKind, SerialRequired, SerialTaken, SerialUnknown
from licensing.rules.capabilities import Decision

_FIND: Final = text("select kind, product, taken from door.serial(:code)")
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Found:
    kind: str
    product: str | None
    taken: bool


def as_written(typed: str) -> str:
    """A serial number as it is kept, from what somebody typed."""
    return typed.strip().upper()


async def find(tx: Transaction, code: str) -> Found:
    """A loaded serial number that nobody else has activated.

    Raises:
        SerialUnknown: none of this code was loaded.
        SerialTaken: it is somebody's already.
    """
    row = (await tx.session.execute(_FIND, {"code": code})).one_or_none()
    if row is None:
        raise SerialUnknown
    if row.taken:
        raise SerialTaken
    return Found(row.kind, row.product, row.taken)


async def evidence(tx: Transaction, decision: Decision, product: str, code: str | None) -> str | None:
    """The product serial number that a paid activation rests on, None where the programme is enough (LIC-10).

    Raises:
        SerialRequired: the capability asks for one and none was named.
        SerialOfOtherKind: the one named is for something else.
    """
    if code is None:
        if decision.cell == "product_serial":
            raise SerialRequired(policy_version=decision.policy_version)
        return None
    await locks.alone(tx.session, code)
    found = await find(tx, code)
    if found.kind != "product" or found.product != product:
        raise SerialOfOtherKind(product=product)
    return code


def readable(entity_id: UUID) -> str:
    """A serial number for a new subscription, from its id: easy to read aloud, without I, L, O and U (Crockford)."""
    rest, symbols = entity_id.int & ((1 << 5 * _LENGTH) - 1), ""
    for _ in range(_LENGTH):
        rest, place = divmod(rest, len(_LETTERS))
        symbols = _LETTERS[place] + symbols
    return "-".join(["PD", *(symbols[start : start + 4] for start in range(0, _LENGTH, 4))])
