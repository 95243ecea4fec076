"""Idempotency keys: a change that is asked for twice under one key is made once and answered twice.

The answer is stored in the transaction of the change, so they stand or fall together. Whoever
holds the key's advisory lock may try; another is told at once, instead of waiting on a connection.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    CursorResult,
    DateTime,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import Base
from chassis.errors import Kind, Refusal
from chassis.http import problems
from chassis.http.answers import Answer

LARGEST_BODY: Final = 64 * 1024
"""Bytes of an answer."""
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "location", "cache-control", "retry-after", "partnerdeck-consistency"})
_PASSING: Final = frozenset({400, 401, 412, 428, 429})

idempotency_keys: Final = Table(
    "idempotency_keys",
    Base.metadata,
    Column("partner_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
)

_LOCK: Final = select(func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger)))
_STANDING: Final = select(*(idempotency_keys.c[name] for name in ("fingerprint", "status", "headers", "body"))).where(
    idempotency_keys.c.partner_id == bindparam("of_partner"),
    idempotency_keys.c.user_id == bindparam("of_user"),
    idempotency_keys.c.key == bindparam("under"),
)
_PUT: Final = insert(idempotency_keys).inline().on_conflict_do_nothing()


class BadIdempotencyKey(Refusal):
    """The idempotency key is not one."""

    kind = Kind.MALFORMED
    code = "bad_idempotency_key"
    remedy = "Send 1 to 255 visible ASCII characters, best a new UUID for each change."


class InFlight(Refusal):
    """The same request is being worked on."""

    kind = Kind.CONFLICT
    code = "in_flight"
    remedy = "Wait a moment and send it again with the same key."


class KeyReused(Refusal):
    """The idempotency key was used for another request."""

    kind = Kind.INVALID
    code = "idempotency_key_reused"
    remedy = "Take a new key for a new request."


class Replayed(Exception):
    """The same request was answered before; ``answer`` is what it was told."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("replayed")
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who asks for what under which key. ``partner_id`` is the principal's own partner."""

    partner_id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes

    @property
    def lock(self) -> int:
        """What to lock: 64 bits of a hash, signed."""
        named = f"{self.partner_id}/{self.user_id}/{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8, person=b"idempotency").digest(), signed=True)


def check_key(key: str) -> str:
    """A key as the header gives it.

    Raises:
        BadIdempotencyKey: it is empty, too long or not visible ASCII.
    """
    if not _VISIBLE.fullmatch(key):
        raise BadIdempotencyKey
    return key


def fingerprint(secret: bytes, method: str, template: str, params: Mapping[str, object], body: bytes) -> bytes:
    """What makes two requests the same: method, path and body. A body may hold what can be guessed, as a password."""
    parts = [method.encode(), template.encode(), *(f"{name}={params[name]}".encode() for name in sorted(params)), body]
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


async def claim(session: AsyncSession, wanted: Claim) -> Answer | None:
    """Take the key for this transaction. An answer means that the change was made before: send it, change nothing.

    The lock comes in a statement of its own: a row that its last holder committed is visible
    only to a statement that begins after the lock was got.

    Raises:
        InFlight: another transaction holds the key.
        KeyReused: the key stands for another request.
    """
    if not await session.scalar(_LOCK, {"lock": wanted.lock}):
        raise InFlight(retry_after=1)
    return await _standing(session, wanted)


async def store(session: AsyncSession, claimed: Claim, answer: Answer) -> None:
    """Keep the answer of a change, in the change's transaction.

    Raises:
        ValueError: the answer is too large to be kept; such an operation must not take a key.
    """
    if len(answer.body) > LARGEST_BODY:
        raise ValueError(f"an answer of {len(answer.body)} bytes cannot be kept under an idempotency key")
    await session.execute(_PUT, _row(claimed, answer))


async def store_refusal(session: AsyncSession, claimed: Claim, answer: Answer) -> Answer:
    """Keep a refusal, in a second transaction after the change's was rolled back; answers what stands under the key.

    While a twin of the request holds the key, its answer is the one to keep, and this one is only given.

    Raises:
        KeyReused: another request took the key meanwhile.
    """
    if not await session.scalar(_LOCK, {"lock": claimed.lock}):
        return answer
    await session.execute(_PUT, _row(claimed, answer))
    return await _standing(session, claimed) or answer


def keeps(refusal: Refusal) -> bool:
    """Whether a refusal is an answer for good. What passes (a lock, a limit, an outage) or was never understood is not."""
    status = problems.status_of(refusal)
    return status not in _PASSING and status < 500 and not isinstance(refusal, InFlight | KeyReused)  # noqa: PLR2004 - failures


async def purge(session: AsyncSession, before: datetime) -> int:
    """Forget the keys of before that time (kept 48 hours); answers how many."""
    done = await session.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before))
    return done.rowcount if isinstance(done, CursorResult) else 0


async def _standing(session: AsyncSession, wanted: Claim) -> Answer | None:
    mine = {"of_partner": wanted.partner_id, "of_user": wanted.user_id, "under": wanted.key}
    row = (await session.execute(_STANDING, mine)).one_or_none()
    if row is None:
        return None
    if row.fingerprint != wanted.fingerprint:
        raise KeyReused
    headers = tuple((str(name), str(value)) for name, value in row.headers)
    return Answer(status=row.status, headers=headers, body=row.body)


def _row(claimed: Claim, answer: Answer) -> dict[str, object]:
    return {
        "partner_id": claimed.partner_id,
        "user_id": claimed.user_id,
        "key": claimed.key,
        "fingerprint": claimed.fingerprint,
        "status": answer.status,
        "headers": _kept(answer.headers),
        "body": answer.body,
    }


def _kept(headers: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[name, value] for name, value in headers if name in _KEPT_HEADERS]
