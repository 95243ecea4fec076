"""Sessions: signing in, going on, and ending.

A session is a family of refresh tokens of which only the last one not yet used is worth
something; a used one that comes again was stolen or lost, and ends the whole family. Tokens
are stored as hashes, behind the door: whoever asks is not known before the answer.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import ApiDatabase
from chassis.database.audit import Subject
from chassis.errors import Refusal
from chassis.http import correlation
from chassis.http.views import View
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.tokens import LIFETIME
from customers.errors import CredentialsWrong, SessionEnded, SignInByPartnerOnly, SignInRefused
from customers.rules.keyring import Keyring

REFRESHABLE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in, and with what. ``refresh_token`` is said here and never again."""

    principal: Principal
    access_token: str
    refresh_token: str
    expires_at: datetime


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


async def start(database: ApiDatabase, keyring: Keyring, now: datetime, *, email: str, password: str) -> SignedIn:
    """Sign in by e-mail address and password (GW-01).

    Raises:
        CredentialsWrong: one of them is; it takes the same time whichever.
        SignInByPartnerOnly: the customer's partner manages its account (CUS-52).
        SignInRefused: user, partner or customer is not active.
    """
    async with database.at_the_door() as door:
        found = (await door.execute(text("select * from door.find_login(:login)"), {"login": email.lower()})).one_or_none()
    if not await keyring.passwords.verify(found.password_hash if found else None, password) or found is None:
        raise CredentialsWrong
    try:
        _admit(found)
    except Refusal as refusal:
        await _audit(database, _principal(found, session_id=None), denied=refusal.code)
        raise
    signed_in = _signed_in(keyring, found, session_id=new_id(), now=now)
    async with database.at_the_door() as door:
        opened = await door.execute(
            text("select door.open_session(:session, :partner, :holder, :gen, :token, :at, :until)"),
            {
                "session": signed_in.principal.session_id,
                "partner": found.partner_id,
                "holder": found.user_id,
                "gen": found.gen,
                "token": _hash(signed_in.refresh_token),
                "at": now,
                "until": now + REFRESHABLE,
            },
        )
        if not opened.scalar_one():
            raise CredentialsWrong
    await _audit(database, signed_in.principal)
    return signed_in


async def refresh(database: ApiDatabase, keyring: Keyring, now: datetime, *, token: str) -> SignedIn:
    """Exchange a refresh token for new tokens.

    Raises:
        SessionEnded: it is unknown, expired or used; or the session or the user's generation has ended.
        SignInByPartnerOnly: as at sign-in.
        SignInRefused: as at sign-in.
    """
    async with database.at_the_door() as door:
        found = (await door.execute(text("select * from door.lock_refresh(:token)"), {"token": _hash(token)})).one_or_none()
        if found is not None and found.used_at is not None:
            await _end(door, found.session_id, now, "reuse")
        elif found is not None and _goes_on(found, now):
            _admit(found)
            signed_in = _signed_in(keyring, found, session_id=found.session_id, now=now)
            await _rotate(door, token, signed_in.refresh_token, now)
            return signed_in
    if found is not None and found.used_at is not None:
        await _audit(database, _principal(found, session_id=found.session_id), denied=SessionEnded.code)
    raise SessionEnded


async def end(database: ApiDatabase, now: datetime, *, token: str) -> None:
    """End the session of a refresh token. Ending what has ended, or never was, changes nothing."""
    async with database.at_the_door() as door:
        found = (await door.execute(text("select * from door.lock_refresh(:token)"), {"token": _hash(token)})).one_or_none()
        if found is not None:
            await _end(door, found.session_id, now, "signed_out")
    if found is not None:
        await _audit(database, _principal(found, session_id=found.session_id))


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


def _admit(found: Row[Any]) -> None:
    """Let in only who may sign in now; ``found`` is what the door knows of the user."""
    if found.kind == "customer" and found.management_type == "partner_managed":
        raise SignInByPartnerOnly
    if found.status != "active" or found.partner_status != "active" or found.customer_status not in {None, "active"}:
        raise SignInRefused


def _goes_on(found: Row[Any], now: datetime) -> bool:
    return found.ended_at is None and found.expires_at > now and found.gen == found.session_gen


async def _audit(database: ApiDatabase, who: Principal, *, denied: str | None = None) -> None:
    """Before the answer: nobody holds a token of a sign-in that the audit does not show (GW-11)."""
    subject = Subject(type="session", id=who.session_id, customer_id=who.customer_id)
    await database.note(who, subject, correlation=correlation.current(), denied=denied)


def _principal(found: Row[Any], *, session_id: UUID | None) -> Principal:
    return Principal(
        kind=found.kind,
        user_id=found.user_id,
        partner_id=found.partner_id,
        gen=found.gen,
        session_id=session_id,
        customer_id=found.customer_id,
    )


def _signed_in(keyring: Keyring, found: Row[Any], *, session_id: UUID, now: datetime) -> SignedIn:
    principal = _principal(found, session_id=session_id)
    access_token, expires_at = keyring.issuer.issue(principal, now)
    return SignedIn(principal=principal, access_token=access_token, refresh_token=secrets.token_urlsafe(32), expires_at=expires_at)


async def _rotate(door: AsyncConnection, old: str, new: str, now: datetime) -> None:
    values = {"old": _hash(old), "new": _hash(new), "at": now, "until": now + REFRESHABLE}
    await door.execute(text("select door.rotate_refresh(:old, :new, :at, :until)"), values)


async def _end(door: AsyncConnection, session_id: UUID, now: datetime, why: str) -> None:
    await door.execute(text("select door.end_session(:session, :at, :why)"), {"session": session_id, "at": now, "why": why})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
