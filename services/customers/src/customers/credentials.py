"""Credentials: setting a password, by a link that was mailed or beside the old one.

A link is good once and until it expires or is replaced; the conditional update of its row, behind
the user's, keeps that true when it is used twice at once. A new password raises the user's generation, so that every
token from before is worth nothing; only the session in which it was changed goes on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update

from chassis.database import ApiDatabase, Transaction
from chassis.links import read_link_token
from chassis.principal import Principal
from contracts.customers.users import UserUpdated
from customers.errors import LinkInvalid
from customers.rules import linking, password_rules, proving
from customers.rules.admission import put_password
from customers.rules.holding import hold_user
from customers.rules.keyring import Keyring
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_user
from customers.tables.links import Link
from customers.tables.users import User

_FIND: Final = text("select * from door.find_holder(:link)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword:
    user_id: UUID
    link_id: UUID
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """``session_id`` is the one in which the user does it."""

    user_id: UUID
    session_id: UUID | None
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose link it is. It lets in for one change, of a row of the holder's partner: whoever makes it takes the partner's role."""

    link_id: UUID
    email: str
    principal: Principal


async def let_in(database: ApiDatabase, keyring: Keyring, now: datetime, *, token: str, password: str) -> Holder:
    """Who a link's token lets in to set this password.

    Raises:
        LinkInvalid: the token was not made by us, or the link is used or expired.
        PasswordRefused: the password is not acceptable; the link stays good.
    """
    link_id = read_link_token(keyring.link_key, token)
    if link_id is None:
        raise LinkInvalid
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, {"link": link_id})).one_or_none()
    if found is None or found.used_at is not None or found.expires_at <= now:
        raise LinkInvalid
    principal = Principal(kind=found.kind, user_id=found.user_id, partner_id=found.partner_id, customer_id=found.customer_id, gen=found.gen)
    known = await proving.known(database, principal)
    password_rules.check(password, known.words, second_factor=known.second_factor)
    return Holder(link_id=link_id, email=found.email, principal=principal)


async def set_password(tx: Transaction, command: SetPassword) -> User:
    """Use a link, put the password, and let its user sign in (NOT-12). Its other links are worth nothing from then on.

    Raises:
        LinkInvalid: somebody used it in the same moment, or it expired.
    """
    mine = select(User).where(User.partner_id == tx.partner_id, User.id == command.user_id, User.status != "disabled")
    user = (await tx.session.scalars(mine.with_for_update())).one_or_none()
    used = await tx.session.execute(
        update(Link)
        .where(Link.partner_id == tx.partner_id, Link.id == command.link_id, Link.user_id == command.user_id)
        .where(Link.used_at.is_(None), Link.expires_at > tx.real_now)
        .values(used_at=tx.real_now)
        .returning(Link.id)
    )
    if user is None or used.scalar_one_or_none() is None:
        raise LinkInvalid
    first, user.status = user.status == "invited", "active"
    await linking.take_back(tx, user)
    await _put(tx, user, command.password_hash, kept=None, fields=["password", "status"] if first else ["password"])
    return user


async def change_password(tx: Transaction, command: ChangePassword) -> User:
    """Put another password; whoever asks has shown the old one (``proving.prove``).

    Raises:
        UserNotFound: it acts as another partner, where it is no user.
    """
    user = await hold_user(tx, command.user_id)
    await _put(tx, user, command.password_hash, kept=command.session_id, fields=["password"])
    return user


async def _put(tx: Transaction, user: User, password_hash: str, *, kept: UUID | None, fields: list[str]) -> None:
    await sign_out(tx, user, "password_changed", kept=kept)
    await put_password(tx, user, password_hash)
    tell_user(tx, user, UserUpdated(fields=fields))
