"""Throttling: whoever tries passwords and codes waits longer each time, and nobody is locked out of what is his.

A try is counted as failed before it is looked at, and taken back when it was right, so many at once
are no more than one after the other. Three counts stand behind the door, for all replicas alike: of
an account from one address, of the account, of the address. After a few tries each further failure
doubles the wait, to a quarter of an hour at most. Where an account was signed in to within a month
is known as good: others who try that account from elsewhere do not make it wait there. What is
counted is a hash, the same for accounts that exist and for others; sessions that exist go on.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from chassis.database import ApiDatabase
from customers.errors.identity import TooManyAttempts

LONGEST_WAIT: Final = timedelta(minutes=15)
FREE_FROM_ADDRESS: Final = 10
"""Of one account, from one address."""
FREE_OF_ACCOUNT: Final = 50
FREE_OF_ADDRESS: Final = 100
FREE_CODES: Final = 5
KNOWN_GOOD: Final = timedelta(days=30)
FORGOTTEN: Final = timedelta(days=2)
_IPV6_HOME: Final = 64

_COUNT: Final = text("select door.count_attempt(:wanted, :at, :free, :longest)")
_KNOWN: Final = text("select door.known_good(:wanted, :since)")
_GOOD: Final = text("select door.attempt_good(:wanted, :at)")
_UNDO: Final = text("select door.attempt_undone(:wanted)")
_FORGET: Final = text("select door.forget_attempts(:failed, :good)")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries an account (whatever names it), from an address where one is known."""

    account: str
    address: str | None

    @property
    def here(self) -> bytes:
        return _key("here", self.account, _home(self.address))

    @property
    def anywhere(self) -> bytes:
        return _key("account", self.account)

    @property
    def whatever(self) -> bytes | None:
        return _key("address", _home(self.address)) if self.address else None


async def admit(database: ApiDatabase, attempt: Attempt, now: datetime) -> None:
    """Count a try to sign in.

    Raises:
        TooManyAttempts: there were too many; it says how long to wait, and nothing was counted.
    """
    async with database.at_the_door() as door:
        known = (await door.execute(_KNOWN, {"wanted": attempt.here, "since": now - KNOWN_GOOD})).scalar_one()
        await _count(door, attempt.here, FREE_FROM_ADDRESS, now)
        if not known:
            await _count(door, attempt.anywhere, FREE_OF_ACCOUNT, now)
        if attempt.whatever is not None:
            await _count(door, attempt.whatever, FREE_OF_ADDRESS, now)


async def good(database: ApiDatabase, attempt: Attempt, now: datetime) -> None:
    """A try was right: it costs nobody anything, and this account is known here from now on."""
    async with database.at_the_door() as door:
        await door.execute(_GOOD, {"wanted": attempt.here, "at": now})
        await _undo(door, attempt.anywhere, attempt.whatever)


async def make_known(database: ApiDatabase, attempt: Attempt, now: datetime) -> None:
    """Whose account it is has been shown otherwise than by a try: it is known here from now on, whether it was ever tried here or not."""
    async with database.at_the_door() as door:
        await door.execute(_GOOD, {"wanted": attempt.here, "at": now})


async def take_back(database: ApiDatabase, attempt: Attempt) -> None:
    """It was no failure, and nobody is signed in yet either."""
    async with database.at_the_door() as door:
        await _undo(door, attempt.here, attempt.anywhere, attempt.whatever)


async def admit_code(database: ApiDatabase, user_id: UUID, now: datetime) -> None:
    """Count a try of somebody who is known, with a code or with its own password.

    Raises:
        TooManyAttempts: there were too many.
    """
    async with database.at_the_door() as door:
        await _count(door, _key("code", str(user_id)), FREE_CODES, now)


async def good_code(database: ApiDatabase, user_id: UUID, now: datetime) -> None:
    async with database.at_the_door() as door:
        await door.execute(_GOOD, {"wanted": _key("code", str(user_id)), "at": now})


async def admit_request(database: ApiDatabase, purpose: str, address: str | None, now: datetime, *, free: int) -> None:
    """Count what anybody may ask for without being signed in, by where it comes from; it stays counted for a day.

    Raises:
        TooManyAttempts: too much was asked for from there.
    """
    if address is not None:
        async with database.at_the_door() as door:
            await _count(door, _key(purpose, _home(address)), free, now)


async def forget(session: AsyncSession, now: datetime) -> int:
    """A chore: counts that hold nobody up any more."""
    gone = await session.execute(_FORGET, {"failed": now - FORGOTTEN, "good": now - KNOWN_GOOD})
    return int(gone.scalar_one())


async def _count(door: AsyncConnection, wanted: bytes, free: int, now: datetime) -> None:
    values = {"wanted": wanted, "at": now, "free": free, "longest": int(LONGEST_WAIT.total_seconds())}
    wait = (await door.execute(_COUNT, values)).scalar_one()
    if wait:
        raise TooManyAttempts(retry_after=wait)


async def _undo(door: AsyncConnection, *counted: bytes | None) -> None:
    for one in counted:
        if one is not None:
            await door.execute(_UNDO, {"wanted": one})


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _home(address: str | None) -> str:
    """Whose an address is: one of IPv4, or a network of IPv6, of which one household has 2^64 addresses."""
    if address is None:
        return ""
    known = ip_address(address)
    return str(known if known.version == 4 else ip_network((known, _IPV6_HOME), strict=False))  # noqa: PLR2004 (the version of IP)
