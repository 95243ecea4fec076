"""Letting in: who may sign in now, and what it is given. Every way to sign in ends here.

A session is a family of refresh tokens, which ends thirty days after it began, or two weeks after it
was last used. Tokens are stored as hashes, behind the door: whoever asks is not known before the answer.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from chassis.database import ApiDatabase
from chassis.database.audit import Subject
from chassis.http import correlation
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.root import ROOT_PARTNER_ID
from customers.errors import CredentialsWrong, SignInByPartnerOnly, SignInRefused
from customers.rules import signing_in
from customers.rules.keyring import Keyring

REFRESHABLE: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=30)
ANSWERABLE: Final = timedelta(minutes=5)
"""How long a challenge for the second factor is good."""
NOBODY: Final = Principal(kind="service", user_id=UUID(int=0), partner_id=ROOT_PARTNER_ID, gen=0)
"""In whose name an attempt on an account that does not exist is audited: it takes as long as one on an account that does."""

_FACTOR: Final = text("select confirmed_at from door.find_second_factor(:partner, :holder)")
_CHALLENGE: Final = text("select door.open_challenge(:token, :partner, :holder, :gen, :at, :until)")
_BEGIN: Final = text("select door.begin_session(:session, :partner, :holder, :gen, :token, :at, :until, :ends, :agent, :address)")
_LONGEST_AGENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """From what somebody signs in, as it says itself, and from where, as the door says."""

    agent: str | None = None
    address: str | None = None

    @property
    def shown(self) -> dict[str, str | None]:
        agent = "".join(one for one in self.agent if one.isprintable())[:_LONGEST_AGENT] if self.agent else None
        return {"agent": agent or None, "address": self.address}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in, and with what. ``refresh_token`` is said here and never again."""

    principal: Principal
    access_token: str
    refresh_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """The first factor was right; ``token`` and a code of the second one sign in. It is said here and never again."""

    token: str
    principal: Principal


def who(found: Row[Any], *, session_id: UUID | None = None) -> Principal:
    """Whom the door has found."""
    return Principal(
        kind=found.kind,
        user_id=found.user_id,
        partner_id=found.partner_id,
        gen=found.gen,
        session_id=session_id,
        customer_id=found.customer_id,
    )


def admit(found: Row[Any]) -> None:
    """Let in only who may sign in now; ``found`` is what the door knows of the user.

    Raises:
        SignInByPartnerOnly: the customer's partner manages its account (CUS-52).
        SignInRefused: user or customer is not active, or the partner of a user of its own.
    """
    if found.kind == "customer" and not signing_in.customer_may(found.management_type):
        raise SignInByPartnerOnly
    at_rest = found.partner_status != "active" and found.kind != "customer"
    if at_rest or found.status != "active" or found.customer_status not in {None, "active"}:
        raise SignInRefused


async def go_on(database: ApiDatabase, keyring: Keyring, found: Row[Any], now: datetime, device: Device) -> SignedIn | Challenged:
    """After the first factor: ask for the second one of whoever has it, and let in everybody else.

    Raises:
        CredentialsWrong: the user changed in this moment.
    """
    principal = who(found)
    async with database.at_the_door() as door:
        factor = (await door.execute(_FACTOR, {"partner": found.partner_id, "holder": found.user_id})).one_or_none()
        if factor is not None and factor.confirmed_at is not None:
            token = secrets.token_urlsafe(32)
            values = {"partner": found.partner_id, "holder": found.user_id, "gen": found.gen}
            await door.execute(_CHALLENGE, {"token": digest(token), "at": now, "until": now + ANSWERABLE, **values})
            return Challenged(token=token, principal=principal)
    return await open_session(database, keyring, found, now, device)


async def open_session(database: ApiDatabase, keyring: Keyring, found: Row[Any], now: datetime, device: Device) -> SignedIn:
    """Begin a session, and have it in the audit before the answer: nobody holds a token of a sign-in that it does not show (GW-11).

    Raises:
        CredentialsWrong: the user changed in this moment.
    """
    signed_in = issue(keyring, found, session_id=new_id(), now=now)
    values = {
        "session": signed_in.principal.session_id,
        "partner": found.partner_id,
        "holder": found.user_id,
        "gen": found.gen,
        "token": digest(signed_in.refresh_token),
        "at": now,
        "until": now + REFRESHABLE,
        "ends": now + LONGEST,
    }
    async with database.at_the_door() as door:
        if not (await door.execute(_BEGIN, values | device.shown)).scalar_one():
            raise CredentialsWrong
    await audit(database, signed_in.principal)
    return signed_in


def issue(keyring: Keyring, found: Row[Any], *, session_id: UUID, now: datetime) -> SignedIn:
    principal = who(found, session_id=session_id)
    access_token, expires_at = keyring.issuer.issue(principal, now)
    return SignedIn(principal=principal, access_token=access_token, refresh_token=secrets.token_urlsafe(32), expires_at=expires_at)


async def audit(database: ApiDatabase, principal: Principal, *, denied: str | None = None) -> None:
    """Put a sign-in, its going on or its end into the audit."""
    subject = Subject(type="session", id=principal.session_id, customer_id=principal.customer_id)
    await database.note(principal, subject, correlation=correlation.current(), denied=denied)


def digest(token: str) -> bytes:
    """A token as it is stored."""
    return hashlib.sha256(token.encode()).digest()
