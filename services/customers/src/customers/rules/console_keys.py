"""What opens a console: a code that is exchanged once, and the token of the session that it opens.

Both are random, said once and kept as hashes behind the door, where no running role reads them.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, text

from chassis.database import ApiDatabase, Transaction
from chassis.principal import Principal

type Purpose = Literal["code", "token"]

_KEEP: Final = text("select door.keep_console_key(:key, :session, :purpose)").bindparams(bindparam("key", type_=LargeBinary))
_FIND: Final = text("select * from door.find_console_key(:key, :purpose)").bindparams(bindparam("key", type_=LargeBinary))
_USE: Final = text("select door.use_console_code(:key)").bindparams(bindparam("key", type_=LargeBinary))


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console of this installation: where it is, and the key by which it is known."""

    url: str
    key: str

    def launched(self, code: str) -> str:
        """Where a browser goes to be signed in: a new tab of its own (CUS-54)."""
        return f"{self.url}?code={code}"

    def is_known_by(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self.key.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The session that a code or a token is of; ``principal`` is its user, as it is now, at the partner concerned."""

    session_id: UUID
    customer_id: UUID
    principal: Principal


async def make(tx: Transaction, session_id: UUID, purpose: Purpose) -> str:
    """A new key to a session of this transaction's partner."""
    key = secrets.token_urlsafe(32)
    await tx.session.execute(_KEEP, {"key": _hash(key), "session": session_id, "purpose": purpose})
    return key


async def find(database: ApiDatabase, key: str, purpose: Purpose) -> Opened | None:
    """Whose session a key is of, before anything is known of who asks."""
    async with database.at_the_door() as door:
        found: Any = (await door.execute(_FIND, {"key": _hash(key), "purpose": purpose})).one_or_none()
    if found is None:
        return None
    acting_as = found.partner_id if found.partner_id != found.user_partner_id else None
    principal = Principal(kind=found.kind, user_id=found.user_id, partner_id=found.user_partner_id, gen=found.gen, acting_as=acting_as)
    return Opened(session_id=found.session_id, customer_id=found.customer_id, principal=principal)


async def use(tx: Transaction, code: str) -> bool:
    """Use a code up, and say whether nobody had."""
    return bool((await tx.session.execute(_USE, {"key": _hash(code)})).scalar_one())


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
