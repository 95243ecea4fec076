"""API keys: made, changed, rotated and revoked by those who manage roles (MKT-17).

A key is a user of kind ``service``, so whatever ends a user's access ends a key's: everywhere within
five seconds. Its secrets are behind the door; each is said once. While a rotation lasts there are two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm.attributes import flag_modified

from chassis.access.permissions import Permission
from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.users import UserCreated, UserDisabled, UserUpdated
from customers.errors import UserNotFound
from customers.errors.api_keys import ApiKeyNotFound, ExpiryPassed, ScopeForPeople, TooManyKeys
from customers.rules import key_secrets, roles
from customers.rules.holding import hold_user
from customers.rules.key_secrets import Secret
from customers.rules.objections import Objections
from customers.rules.telling import tell_user
from customers.tables.partners import Partner
from customers.tables.users import User

MOST: Final = 200
"""Keys of one partner: they are listed whole."""

_FOR_PEOPLE: Final = frozenset({Permission.ROLES_MANAGE, Permission.USERS_MANAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """``scopes`` are what the key may use of what its roles permit; ``expires_at`` None is never."""

    name: str
    role_ids: tuple[UUID, ...]
    scopes: tuple[Permission, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeKey:
    """What is None stays as it is; ``seen`` is the version that the caller has seen."""

    key_id: UUID
    seen: Seen
    name: str | None = None
    role_ids: tuple[UUID, ...] | None = None
    scopes: tuple[Permission, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKey:
    """For ``overlap`` the earlier secret is good beside the new one; without any it is over at once, with all its tokens."""

    key_id: UUID
    seen: Seen
    overlap: timedelta
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    key_id: UUID
    seen: Seen


@dataclass(frozen=True, slots=True)
class Made:
    """A key, and the secret that is said now and never again."""

    key: User
    secret: Secret


async def create(tx: Transaction, command: CreateKey) -> Made:
    """Make a key.

    Raises:
        RoleNotFound: a role is not one of the partner's.
        ScopeForPeople: a scope is nothing for programs.
        ExpiryPassed: it would have expired already.
        TooManyKeys: the partner has its fill.
    """
    objections = Objections()
    _check_scopes(command.scopes, objections)
    _check_expiry(tx, command.expires_at, objections)
    objections.refuse()
    language = await _room(tx)
    await roles.lock_named(tx, command.role_ids)
    key = User(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        kind="service",
        status="active",
        gen=1,
        name=command.name,
        language=language,
        role_ids=list(dict.fromkeys(command.role_ids)),
        scopes=_sorted(command.scopes),
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(key)
    await tx.session.flush()
    tell_user(tx, key, UserCreated(kind="service", role_ids=key.role_ids))
    return Made(key, await _put(tx, key, command.expires_at))


async def change(tx: Transaction, command: ChangeKey) -> User:
    """Change what a key is called and may do. What is as it was already is told to nobody.

    Raises:
        ApiKeyNotFound: there is none, or it was revoked.
        RoleNotFound: a role is not one of the partner's.
        ScopeForPeople: a scope is nothing for programs.
    """
    key = await _hold(tx, command.key_id, command.seen)
    objections = Objections()
    _check_scopes(command.scopes or (), objections)
    objections.refuse()
    wanted = {
        "name": command.name,
        "role_ids": None if command.role_ids is None else list(dict.fromkeys(command.role_ids)),
        "scopes": None if command.scopes is None else _sorted(command.scopes),
    }
    changed = sorted(name for name, value in wanted.items() if value is not None and value != getattr(key, name))
    if not changed:
        return key
    await roles.lock_named(tx, command.role_ids or ())
    for name in changed:
        setattr(key, name, wanted[name])
    await _tell_updated(tx, key, changed)
    return key


async def rotate(tx: Transaction, command: RotateKey) -> Made:
    """Give a key another secret.

    Raises:
        ApiKeyNotFound: there is none, or it was revoked.
        ExpiryPassed: the new secret would have expired already.
    """
    key = await _hold(tx, command.key_id, command.seen)
    objections = Objections()
    _check_expiry(tx, command.expires_at, objections)
    objections.refuse()
    await tx.session.execute(select(func.door.retire_key_secrets(key.id, tx.real_now, tx.real_now + command.overlap)))
    if not command.overlap:
        key.gen += 1
    await _tell_updated(tx, key, ["secret"])
    return Made(key, await _put(tx, key, command.expires_at))


async def revoke(tx: Transaction, command: RevokeKey) -> None:
    """End a key for good: it is worth nothing in any service within five seconds.

    Raises:
        ApiKeyNotFound: there is none, or it was revoked before.
    """
    key = await _hold(tx, command.key_id, command.seen)
    key.status = "disabled"
    key.gen += 1
    key.updated_at = tx.now
    await tx.session.flush()
    await tx.session.execute(select(func.door.retire_key_secrets(key.id, tx.real_now, tx.real_now)))
    tell_user(tx, key, UserDisabled(removed=True))


async def _room(tx: Transaction) -> str:
    """Hold the partner, so that its keys are counted one maker after the other; answers its language."""
    own = select(Partner.language).where(Partner.partner_id == tx.partner_id, Partner.id == tx.partner_id)
    language = (await tx.session.scalars(own.with_for_update(key_share=True))).one()
    living = select(func.count()).where(User.partner_id == tx.partner_id, User.kind == "service", User.status == "active")
    if (await tx.session.execute(living)).scalar_one() >= MOST:
        raise TooManyKeys(most=MOST)
    return language


async def _hold(tx: Transaction, key_id: UUID, seen: Seen) -> User:
    try:
        key = await hold_user(tx, key_id)
    except UserNotFound as unknown:
        raise ApiKeyNotFound from unknown
    if key.kind != "service" or key.status != "active":
        raise ApiKeyNotFound
    seen.admit(key.version)
    return key


async def _put(tx: Transaction, key: User, expires_at: datetime | None) -> Secret:
    secret = key_secrets.new()
    put = func.door.put_key_secret(key.id, secret.hash, tx.new_id(), secret.ending, tx.real_now, expires_at)
    await tx.session.execute(select(put))
    return secret


async def _tell_updated(tx: Transaction, key: User, fields: list[str]) -> None:
    """The key's version rises, though its row may be as it was: a secret stands elsewhere."""
    key.updated_at = tx.now
    flag_modified(key, "updated_at")
    await tx.session.flush()
    tell_user(tx, key, UserUpdated(fields=fields))


def _check_scopes(scopes: tuple[Permission, ...], objections: Objections) -> None:
    for number, scope in enumerate(scopes):
        if scope in _FOR_PEOPLE:
            objections.against(ScopeForPeople, f"/scopes/{number}")


def _check_expiry(tx: Transaction, expires_at: datetime | None, objections: Objections) -> None:
    if expires_at is not None and expires_at <= tx.real_now:
        objections.against(ExpiryPassed, "/expires_at")


def _sorted(scopes: tuple[Permission, ...]) -> list[str]:
    return sorted({str(one) for one in scopes})
