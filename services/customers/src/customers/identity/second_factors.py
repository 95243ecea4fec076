"""Second factors: enrolled with an authenticator, confirmed by its first code, given up with the password (MKT-04).

A secret is said once, when it is made, and lies sealed behind the door from then on; recovery codes
are said once and kept as hashes. Once it is confirmed every other session of the user is over, for
they were begun without it.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text

from chassis.database import Read, Transaction
from chassis.database.audit import Subject
from chassis.http.views import View
from contracts.customers.sessions import SessionEnd
from contracts.customers.users import UserUpdated
from customers.errors.identity import (
    CodeNotAccepted,
    PasswordTooShort,
    SecondFactorEnrolled,
    SecondFactorNeeded,
    SecondFactorNotEnrolled,
)
from customers.rules import second_factors
from customers.rules.holding import hold_user
from customers.rules.keyring import Keyring
from customers.rules.password_rules import SHORTEST
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_user
from customers.tables.users import User

_MINE: Final = """select u.second_factor, door.second_factor_required(u.partner_id) and u.kind in ('partner', 'operator') as required,
                         (select f.recovery_left from door.own_second_factor() f) as recovery_left
                    from access_users u where u.id = $1"""


_OWN: Final = text("select secret, confirmed_at from door.own_second_factor()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """``session_id`` is the one in which the user does it: it goes on."""

    user_id: UUID
    session_id: UUID | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """``password_length`` is that of the password it was given up with: alone that must be longer."""

    user_id: UUID
    session_id: UUID | None
    password_length: int


class StandingView(View, frozen=True, kw_only=True):
    """Whether the user has a second factor, must have one, and how many recovery codes are left."""

    enrolled: bool
    required: bool
    recovery_codes_left: int | None


class EnrolmentView(View, frozen=True, kw_only=True):
    """The secret, for an authenticator: as text, and as the URI that it reads as a QR code. It is said here and never again."""

    secret: str
    uri: str


class RecoveryView(View, frozen=True, kw_only=True):
    """Each signs in once in place of the authenticator. They are said here and never again."""

    recovery_codes: list[str]


async def standing(read: Read) -> StandingView:
    """How the reader stands with its second factor."""
    (row,) = await read.connection.fetch(_MINE, read.principal.user_id)
    return StandingView(enrolled=row["second_factor"], required=row["required"], recovery_codes_left=row["recovery_left"])


async def enrol(tx: Transaction, keyring: Keyring, command: Enrol) -> EnrolmentView:
    """Make a secret. Until it is confirmed it opens nothing, and another may take its place.

    Raises:
        UserNotFound: it acts as another partner, where it is no user.
        SecondFactorEnrolled: there is one, and confirmed.
    """
    user = await hold_user(tx, command.user_id)
    secret = second_factors.new_secret()
    sealed = keyring.sealer.seal(secret.encode(), user.id)
    if not await tx.session.scalar(select(func.door.put_second_factor(sealed))):
        raise SecondFactorEnrolled
    tx.note(Subject(type="user", id=user.id, customer_id=user.customer_id, data_region=user.data_region))
    return EnrolmentView(secret=secret, uri=second_factors.uri(secret, str(user.email)))


async def confirm(tx: Transaction, keyring: Keyring, command: Confirm) -> RecoveryView:
    """Take the second factor into use, by the code that it shows now.

    Raises:
        SecondFactorNotEnrolled: no secret was made.
        SecondFactorEnrolled: it is in use already.
        CodeNotAccepted: it is not the secret's code of now.
    """
    user = await hold_user(tx, command.user_id)
    found = (await tx.session.execute(_OWN)).one_or_none()
    if found is None:
        raise SecondFactorNotEnrolled
    if found.confirmed_at is not None:
        raise SecondFactorEnrolled
    secret = keyring.sealer.open(found.secret, user.id).decode()
    step = second_factors.step_of(secret, "".join(command.code.split()), tx.real_now)
    if step is None:
        raise CodeNotAccepted(errors=[CodeNotAccepted.at("/code")])
    codes = second_factors.new_recovery_codes()
    hashes = [second_factors.recovery_hash(code) for code in codes]
    await tx.session.execute(select(func.door.confirm_second_factor(step, hashes, tx.real_now)))
    user.second_factor = True
    await _changed(tx, user, "second_factor_changed", kept=command.session_id)
    return RecoveryView(recovery_codes=codes)


async def give_up(tx: Transaction, command: GiveUp) -> None:
    """Take the second factor out of use; whoever asks has shown its password (``proving.prove``).

    Raises:
        SecondFactorNotEnrolled: there is none.
        SecondFactorNeeded: the user's partner, or one above, requires it.
        PasswordTooShort: the password may not stand alone.
    """
    user = await hold_user(tx, command.user_id)
    if not user.second_factor:
        raise SecondFactorNotEnrolled
    if user.kind != "customer" and await tx.session.scalar(select(func.door.second_factor_required(user.partner_id))):
        raise SecondFactorNeeded
    if command.password_length < SHORTEST:
        raise PasswordTooShort(shortest=SHORTEST)
    await _drop(tx, user)
    await _changed(tx, user, "second_factor_changed", kept=command.session_id)


async def take_away(tx: Transaction, user: User) -> None:
    """Take away the second factor of who has lost it and the recovery codes too: it is signed out, and enrols anew where it must.

    Raises:
        SecondFactorNotEnrolled: there is none.
    """
    if not user.second_factor:
        raise SecondFactorNotEnrolled
    await _drop(tx, user)
    await _changed(tx, user, "second_factor_changed", kept=None)


async def renew_recovery(tx: Transaction, user_id: UUID) -> RecoveryView:
    """Make new recovery codes; the old ones are worth nothing from then on.

    Raises:
        SecondFactorNotEnrolled: there is none in use.
    """
    user = await hold_user(tx, user_id)
    codes = second_factors.new_recovery_codes()
    if not await tx.session.scalar(select(func.door.put_recovery([second_factors.recovery_hash(code) for code in codes]))):
        raise SecondFactorNotEnrolled
    user.updated_at = tx.now
    await tx.session.flush()
    tell_user(tx, user, UserUpdated(fields=["recovery_codes"]))
    return RecoveryView(recovery_codes=codes)


async def _drop(tx: Transaction, user: User) -> None:
    await tx.session.execute(select(func.door.drop_second_factor(user.id)))
    user.second_factor = False


async def _changed(tx: Transaction, user: User, why: SessionEnd, *, kept: UUID | None) -> None:
    await sign_out(tx, user, why, kept=kept)
    tell_user(tx, user, UserUpdated(fields=["second_factor"]))
