"""API keys as they are listed: what each may do, and when it was used last; its secrets by how they end (MKT-17)."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, select, text

from chassis.database import Read, Reading, Transaction
from chassis.http.lists import Listing
from chassis.http.views import View
from customers.api_keys.keys import Made
from customers.errors.api_keys import ApiKeyNotFound
from customers.tables.users import User

_SECRETS: Final = "select user_id, id, ending, created_at, expires_at, used_at from door.key_secrets_of($1)"
_SECRETS_OF: Final = text("select user_id, id, ending, created_at, expires_at, used_at from door.key_secrets_of(:at)")


class SecretView(View, frozen=True, kw_only=True):
    """A secret of a key: `ending` is how it ends, `used_at` when a token was last had for it, to the minute."""

    id: UUID
    ending: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class ApiKeyView(View, frozen=True, kw_only=True):
    """An API key. Of what its roles permit it may use what `scopes` names; their levels decide about customers."""

    id: UUID
    version: int
    name: str
    role_ids: list[UUID]
    scopes: list[str]
    created_at: datetime
    secrets: list[SecretView]


class MadeKeyView(ApiKeyView, frozen=True, kw_only=True):
    """A key that was made or rotated just now; `secret` is said here and never again."""

    secret: str


class _Shape(NamedTuple):
    one: bool


def _living(relation: FromClause, shape: Any) -> Select[Any]:
    columns = (relation.c[name] for name in ("id", "version", "name", "role_ids", "scopes", "created_at"))
    own = (relation.c.partner_id == bindparam("of"), relation.c.kind == "service", relation.c.status == "active")
    keys = select(*columns).where(*own).order_by(relation.c.name, relation.c.id)
    return keys.where(relation.c.id == bindparam("id")) if shape.one else keys


_KEYS: Final = Reading(User, _living)


async def every(read: Read) -> Listing[ApiKeyView]:
    """The keys of the partner that were not revoked."""
    keys = await read.rows(_KEYS, _Shape(one=False), of=read.partner_id)
    secrets = _by_key(await read.connection.fetch(_SECRETS, read.real_now))
    return Listing.whole([ApiKeyView.of(key, secrets=secrets.get(key["id"], [])) for key in keys], as_of=read.real_now)


async def one(read: Read, key_id: UUID) -> ApiKeyView:
    """One key.

    Raises:
        ApiKeyNotFound: there is none, or it was revoked.
    """
    key = await read.row(_KEYS, _Shape(one=True), of=read.partner_id, id=key_id)
    if key is None:
        raise ApiKeyNotFound
    secrets = _by_key(await read.connection.fetch(_SECRETS, read.real_now))
    return ApiKeyView.of(key, secrets=secrets.get(key_id, []))


async def shown(tx: Transaction, key: User) -> ApiKeyView:
    """A key that was just changed."""
    return ApiKeyView.of_entity(key, secrets=await _secrets(tx, key))


async def made(tx: Transaction, made: Made) -> MadeKeyView:
    """A key with its new secret."""
    return MadeKeyView.of_entity(made.key, secrets=await _secrets(tx, made.key), secret=made.secret.text)


async def _secrets(tx: Transaction, key: User) -> list[SecretView]:
    rows = (await tx.session.execute(_SECRETS_OF, {"at": tx.real_now})).mappings()
    return _by_key(rows).get(key.id, [])


def _by_key(rows: Any) -> dict[UUID, list[SecretView]]:
    found: dict[UUID, list[SecretView]] = {}
    for row in rows:
        found.setdefault(row["user_id"], []).append(SecretView.of(row))
    return found
