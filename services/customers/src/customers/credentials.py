"""Credentials: setting a password by a link that was mailed.

A link is good once and until it expires or is replaced; the conditional update of its row, behind
the user's, keeps that true when it is used twice at once. A new password raises the user's generation, so that every
token from before is worth nothing.
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
from customers.rules import passwords
from customers.rules.admission import put_password
from customers.rules.keyring import Keyring
from customers.rules.telling import tell_user
from customers.tables.links import Link
from customers.tables.users import User

_FIND: Final = text("select * from door.find_link(:link)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword:
    user_id: UUID
    link_id: UUID
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose link it is, and for what work in that name it lets in: this one change."""

    link_id: UUID
    principal: Principal


async def let_in(database: ApiDatabase, keyring: Keyring, now: datetime, *, token: str, password: str) -> Holder:
    """Who a link's token lets in to set this password. The holder changes rows of its partner, whatever kind of user it is.

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
    passwords.check(password, found.email)
    principal = Principal(kind="partner", user_id=found.user_id, partner_id=found.partner_id, gen=found.gen)
    return Holder(link_id=link_id, principal=principal)


async def set_password(tx: Transaction, command: SetPassword) -> User:
    """Use a link, put the password, and let its user sign in (NOT-12).

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
    user.status = "active"
    user.gen += 1
    user.updated_at = tx.now
    await put_password(tx, user, command.password_hash)
    await tx.session.flush()
    tell_user(tx, user, UserUpdated(fields=["password"]))
    return user
