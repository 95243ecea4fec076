"""Passwords: argon2id with 19 MiB, two passes, one lane (OWASP), in a few threads of their own.

Checking takes the same time whether the address exists or not. Who would wait behind too
many others is told to come back. A password is one thing however its characters are composed (NFKC).
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from customers.errors import SignInBusy

_MOST_WAITING: Final = 64


OWASP: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Passwords:
    """Hashes and verifies, at most ``threads`` at a time."""

    def __init__(self, hasher: PasswordHasher = OWASP, *, threads: int = 2) -> None:
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._hasher.hash("nobody has this password")

    def hash_now(self, password: str) -> str:
        """Hash in the caller's own thread: for commands, not for requests."""
        return self._hasher.hash(_one(password))

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, _one(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the hash's. None (nobody has the address) takes as long and is False."""
        right = await self._run(self._matches, password_hash or self._nobodys, password)
        return right and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _one(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run[**P, T](self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        if self._waiting >= _MOST_WAITING:
            raise SignInBusy(retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given, **named))
        finally:
            self._waiting -= 1


def _one(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
