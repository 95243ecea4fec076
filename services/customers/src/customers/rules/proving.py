"""Proving: whoever is signed in shows its password again, before it changes by what it signs in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from chassis.database import ApiDatabase
from chassis.principal import Principal
from customers.errors.identity import PasswordWrong
from customers.rules import letting_in, throttling
from customers.rules.keyring import Keyring

_FIND: Final = text("select * from door.find_password(:partner, :holder)")
_FACTOR: Final = text("select confirmed_at from door.find_second_factor(:partner, :holder)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a user, of which no password of its may be made; and whether it has a second factor."""

    email: str
    name: str
    company: str
    second_factor: bool

    @property
    def words(self) -> tuple[str, str, str]:
        return self.email, self.name, self.company


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A password that somebody says is its own; ``pointer`` is where the body says it.

    ``unless_none`` lets in who has none because it signs in elsewhere.
    """

    password: str
    pointer: str = "/password"
    unless_none: bool = False


async def prove(database: ApiDatabase, keyring: Keyring, principal: Principal, shown: Shown, now: datetime) -> Known:
    """Go on only with the user's own password.

    Raises:
        TooManyAttempts: too many were wrong.
        PasswordWrong: it is another.
    """
    await throttling.admit_code(database, principal.user_id, now)
    values = {"partner": principal.partner_id, "holder": principal.user_id}
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, values)).one_or_none()
    needs_none = shown.unless_none and found is not None and found.password_hash is None
    if not needs_none and (found is None or not await keyring.passwords.verify(found.password_hash, shown.password)):
        await letting_in.audit(database, principal, denied=PasswordWrong.code)
        raise PasswordWrong(errors=[PasswordWrong.at(shown.pointer)])
    await throttling.good_code(database, principal.user_id, now)
    return await known(database, principal)


async def known(database: ApiDatabase, principal: Principal) -> Known:
    """What is known of a user who was found already."""
    values = {"partner": principal.partner_id, "holder": principal.user_id}
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, values)).one()
        factor = (await door.execute(_FACTOR, values)).one_or_none()
    has_one = factor is not None and factor.confirmed_at is not None
    return Known(email=found.email, name=found.name, company=found.company, second_factor=has_one)
