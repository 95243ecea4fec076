"""Sessions: signing in, going on, and ending.

Of a session's refresh tokens only the last one not yet used is worth something; a used one that
comes again was stolen or lost, and ends the whole family.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text

from chassis.database import ApiDatabase
from chassis.database.audit import Subject
from chassis.errors import Refusal
from chassis.http import correlation
from chassis.http.views import View
from chassis.principal import Principal
from chassis.tokens import LIFETIME
from contracts.customers.sessions import SessionEnd
from contracts.customers.users import UserUpdated
from customers.errors import CredentialsWrong, SessionEnded
from customers.errors.identity import ChallengeOver, CodeWrong
from customers.errors.single_sign_on import PasswordsClosed
from customers.rules import letting_in, second_factors, throttling
from customers.rules.holding import hold_user
from customers.rules.keyring import Keyring
from customers.rules.letting_in import ANSWERABLE, NOBODY, REFRESHABLE, Challenged, Device, SignedIn, digest
from customers.rules.signing_out import sign_out_here
from customers.rules.throttling import Attempt
from customers.tables.users import User

_LOGIN: Final = text("select * from door.find_login(:login)")
_CLOSED: Final = text("select door.passwords_closed(:login)")
_REFRESH: Final = text("select * from door.lock_refresh(:token)")
_ROTATE: Final = text("select door.rotate_refresh(:old, :new, :at, :until)")
_CHALLENGE: Final = text("select * from door.find_challenge(:token, :at)")
_USE_CHALLENGE: Final = text("select door.use_challenge(:token)")


class SignedInUserView(View, frozen=True, kw_only=True):
    id: UUID
    kind: str
    partner_id: UUID
    customer_id: UUID | None


class TokensView(View, frozen=True, kw_only=True):
    """``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: SignedInUserView


class ChallengeView(View, frozen=True, kw_only=True):
    """The password was right; ``challenge`` and a code of the second factor sign in, within ``expires_in`` seconds."""

    challenge: str
    expires_in: int


async def start(
    database: ApiDatabase, keyring: Keyring, now: datetime, device: Device, *, email: str, password: str
) -> SignedIn | Challenged:
    """Sign in by e-mail address and password (GW-01); whoever has a second factor is asked for it (MKT-04).

    Raises:
        TooManyAttempts: too many were wrong; whether the address exists makes no difference.
        CredentialsWrong: one of them is; it takes the same time whichever.
        SignInByPartnerOnly: the customer's partner manages its account (CUS-52).
        SignInRefused: user, partner or customer is not active.
        PasswordsClosed: the user's company signs it in elsewhere (MKT-18).
    """
    attempt = Attempt(email.lower(), device.address)
    await throttling.admit(database, attempt, now)
    async with database.at_the_door() as door:
        found = (await door.execute(_LOGIN, {"login": email.lower()})).one_or_none()
    if not await keyring.passwords.verify(found.password_hash if found else None, password) or found is None:
        await letting_in.audit(database, NOBODY if found is None else letting_in.who(found), denied=CredentialsWrong.code)
        raise CredentialsWrong
    await _admit(database, found)
    await _passwords_open(database, found, email)
    outcome = await letting_in.go_on(database, keyring, found, now, device)
    if isinstance(outcome, SignedIn):
        await throttling.good(database, attempt, now)
    else:
        await throttling.take_back(database, attempt)
    return outcome


async def finish(database: ApiDatabase, keyring: Keyring, now: datetime, device: Device, *, challenge: str, code: str) -> SignedIn:
    """Sign in by the second factor, after the first (MKT-04).

    Raises:
        ChallengeOver: it is unknown, too old or done.
        TooManyAttempts: too many codes were wrong.
        CodeWrong: the code is wrong or was used; the challenge stays good.
        SignInByPartnerOnly: as at sign-in.
        SignInRefused: as at sign-in.
    """
    async with database.at_the_door() as door:
        found = (await door.execute(_CHALLENGE, {"token": digest(challenge), "at": now})).one_or_none()
    if found is None:
        raise ChallengeOver
    await throttling.admit_code(database, found.user_id, now)
    await _admit(database, found)
    used = await second_factors.use(database, keyring, (found.partner_id, found.user_id), code, now)
    if used is None:
        await letting_in.audit(database, letting_in.who(found), denied=CodeWrong.code)
        raise CodeWrong
    async with database.at_the_door() as door:
        if not (await door.execute(_USE_CHALLENGE, {"token": digest(challenge)})).scalar_one():
            raise ChallengeOver
    signed_in = await letting_in.open_session(database, keyring, found, now, device)
    if used == "recovery_code":
        await _tell_recovery(database, signed_in.principal)
    await throttling.good_code(database, found.user_id, now)
    await throttling.good(database, Attempt(found.email.lower(), device.address), now)
    return signed_in


async def refresh(database: ApiDatabase, keyring: Keyring, now: datetime, *, token: str) -> SignedIn:
    """Exchange a refresh token for new tokens.

    Raises:
        SessionEnded: it is unknown, expired or used; or the session or the user's generation has ended.
        SignInByPartnerOnly: as at sign-in.
        SignInRefused: as at sign-in.
    """
    async with database.at_the_door() as door:
        found = (await door.execute(_REFRESH, {"token": digest(token)})).one_or_none()
        going = found if found is not None and found.used_at is None and _goes_on(found, now) else None
        refusal = None if going is None else _refusal(going)
        if going is not None and refusal is None:
            signed_in = letting_in.issue(keyring, going, session_id=going.session_id, now=now)
            values = {"old": digest(token), "new": digest(signed_in.refresh_token), "at": now, "until": now + REFRESHABLE}
            await door.execute(_ROTATE, values)
            return signed_in
    if going is not None and refusal is not None:
        await letting_in.audit(database, letting_in.who(going), denied=refusal.code)
        raise refusal
    if found is not None and found.used_at is not None:
        await _end(database, letting_in.who(found, session_id=found.session_id), "reuse", denied=SessionEnded.code)
    raise SessionEnded


async def end(database: ApiDatabase, *, token: str) -> None:
    """End the session of a refresh token. Ending what has ended, or never was, changes nothing."""
    async with database.at_the_door() as door:
        found = (await door.execute(_REFRESH, {"token": digest(token)})).one_or_none()
    if found is not None:
        await _end(database, letting_in.who(found, session_id=found.session_id), "signed_out")


def shown(signed_in: SignedIn) -> TokensView:
    """What whoever signed in is answered."""
    who = signed_in.principal
    return TokensView(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106 (a type, no secret)
        expires_in=int(LIFETIME.total_seconds()),
        user=SignedInUserView(id=who.user_id, kind=who.kind, partner_id=who.partner_id, customer_id=who.customer_id),
    )


def asked(challenged: Challenged) -> ChallengeView:
    """What whoever has a second factor is answered first."""
    return ChallengeView(challenge=challenged.token, expires_in=int(ANSWERABLE.total_seconds()))


async def _admit(database: ApiDatabase, found: Row[Any]) -> None:
    if (refusal := _refusal(found)) is not None:
        await letting_in.audit(database, letting_in.who(found), denied=refusal.code)
        raise refusal


async def _tell_recovery(database: ApiDatabase, who: Principal) -> None:
    """A recovery code is gone: its user is mailed that somebody came in by it."""
    async with database.change(who, correlation=correlation.current()) as tx:
        user = select(User.version, User.data_region).where(User.partner_id == tx.partner_id, User.id == who.user_id)
        version, region = (await tx.session.execute(user)).one()
        about = tx.entity("user", who.user_id, version=version, customer_id=who.customer_id, data_region=region)
        tx.tell(UserUpdated(fields=["recovery_codes"]), about=about)


def _refusal(found: Row[Any]) -> Refusal | None:
    try:
        letting_in.admit(found)
    except Refusal as refusal:
        return refusal
    return None


async def _passwords_open(database: ApiDatabase, found: Row[Any], email: str) -> None:
    async with database.at_the_door() as door:
        closed = (await door.execute(_CLOSED, {"login": email.lower()})).scalar_one()
    if closed:
        await letting_in.audit(database, letting_in.who(found), denied=PasswordsClosed.code)
        raise PasswordsClosed


def _goes_on(found: Row[Any], now: datetime) -> bool:
    return found.ended_at is None and found.expires_at > now and found.gen == found.session_gen


async def _end(database: ApiDatabase, who: Principal, why: SessionEnd, *, denied: str | None = None) -> None:
    """End a session in the name of its user, in every service within five seconds, tell of it, and put it into the audit."""
    if who.session_id is None:
        return
    async with database.change(who, correlation=correlation.current(), role="partner") as tx:
        user = await hold_user(tx, who.user_id)
        ended = await sign_out_here(tx, user, who.session_id, why)
        if denied or not ended:
            subject = Subject(type="session", id=who.session_id, customer_id=who.customer_id, data_region=user.data_region)
            tx.note(subject, denied=denied)
