"""Signing in elsewhere: begun here, confirmed by the provider, finished here (MKT-18).

What a sign-in knows alone (state, nonce, PKCE's verifier) is kept behind the door and good once, within
ten minutes, for whoever has the binding that the beginning was answered with. A user is found by the
address that the provider says is verified, on a domain of the connection and at its partner alone.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, text

from chassis.database import ApiDatabase
from chassis.errors import Refusal
from chassis.http import correlation
from chassis.http.views import View
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.customers.users import UserUpdated
from customers.errors.single_sign_on import NoSingleSignOn, ProviderUnusable, SignInNotConfirmed
from customers.rules import letting_in, throttling
from customers.rules.admission import Admission, admit
from customers.rules.keyring import Keyring
from customers.rules.letting_in import Challenged, Device, SignedIn, digest
from customers.rules.openid import Begun, Client, Unusable
from customers.rules.telling import tell_user
from customers.tables.users import User

GOOD_FOR: Final = timedelta(minutes=10)
FREE_OF_ADDRESS: Final = 50
_FIND: Final = text("select * from door.find_sso(:domain)")
_OPEN: Final = text("select door.open_sso_state(:state, :binding, :connection, :partner, :nonce, :verifier, :at, :until)")
_USE: Final = text("select * from door.use_sso_state(:state, :binding, :at)")
_USER: Final = text("select * from door.find_sso_user(:partner, :login)")


class BegunView(View, frozen=True, kw_only=True):
    """`authorization_url` is where to go; `binding` stays with whoever began, and comes back with the provider's answer."""

    authorization_url: str
    binding: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """With what somebody came back from the provider."""

    state: str
    code: str
    binding: str


async def begin(database: ApiDatabase, keyring: Keyring, now: datetime, device: Device, *, email: str) -> BegunView:
    """Say where to sign in.

    Raises:
        TooManyAttempts: too many were begun from there.
        NoSingleSignOn: nobody signs in elsewhere with this address.
        ProviderUnusable: the provider does not answer.
    """
    await throttling.admit_request(database, "sso", device.address, now, free=FREE_OF_ADDRESS)
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, {"domain": _domain(email)})).one_or_none()
    if found is None:
        raise NoSingleSignOn
    begun, state, binding = Begun.new(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    try:
        url = await keyring.providers.authorization_url(_client(keyring, found), begun, state, now)
    except Unusable as failure:
        raise ProviderUnusable(str(failure)) from failure
    values = {"state": digest(state), "binding": digest(binding), "connection": found.connection_id, "partner": found.partner_id}
    values |= {"nonce": begun.nonce, "verifier": begun.verifier, "at": now, "until": now + GOOD_FOR}
    async with database.at_the_door() as door:
        await door.execute(_OPEN, values)
    return BegunView(authorization_url=url, binding=binding, expires_in=int(GOOD_FOR.total_seconds()))


async def finish(database: ApiDatabase, keyring: Keyring, now: datetime, device: Device, returned: Returned) -> SignedIn | Challenged:
    """Sign in whoever the provider confirms; whoever has a second factor here is asked for it.

    Raises:
        SignInNotConfirmed: the sign-in is over, or the provider does not say who it is.
        SignInRefused: user or partner is not active.
    """
    values = {"state": digest(returned.state), "binding": digest(returned.binding), "at": now}
    async with database.at_the_door() as door:
        found = (await door.execute(_USE, values)).one_or_none()
    if found is None:
        raise SignInNotConfirmed
    begun = Begun(nonce=found.nonce, verifier=found.verifier)
    try:
        claims = await keyring.providers.claims(_client(keyring, found), begun, returned.code, now)
    except Unusable as failure:
        raise SignInNotConfirmed(str(failure)) from failure
    user = await _user(database, found, claims)
    try:
        letting_in.admit(user)
    except Refusal as refusal:
        await letting_in.audit(database, letting_in.who(user), denied=refusal.code)
        raise
    return await letting_in.go_on(database, keyring, user, now, device)


async def _user(database: ApiDatabase, found: Row[Any], claims: dict[str, Any]) -> Row[Any]:
    """The user whom the claims name; made, or no longer only invited, where the connection lets that be."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or _domain(email) not in found.verified:
        raise SignInNotConfirmed
    user = await _known(database, found, email)
    if user is None and found.new_users:
        await _make(database, found, email, str(claims.get("name") or email)[:200])
        user = await _known(database, found, email)
    elif user is not None and user.status == "invited":
        await _accept(database, found, user)
        user = await _known(database, found, email)
    if user is None:
        raise SignInNotConfirmed
    return user


async def _known(database: ApiDatabase, found: Row[Any], email: str) -> Row[Any] | None:
    async with database.at_the_door() as door:
        return (await door.execute(_USER, {"partner": found.partner_id, "login": email.lower()})).one_or_none()


async def _make(database: ApiDatabase, found: Row[Any], email: str, name: str) -> None:
    user_id = new_id()
    admission = Admission(kind="partner", name=name, email=email, language=found.language, user_id=user_id, role_ids=tuple(found.new_users))
    async with database.change(_itself(found, user_id), correlation=correlation.current()) as tx:
        user = await admit(tx, admission)
        user.status = "active"
        await tx.session.flush()
        tell_user(tx, user, UserUpdated(fields=["status"]))


async def _accept(database: ApiDatabase, found: Row[Any], known: Row[Any]) -> None:
    """Whoever was invited and signs in elsewhere needs no password."""
    async with database.change(_itself(found, known.user_id), correlation=correlation.current()) as tx:
        this = select(User).where(User.partner_id == tx.partner_id, User.id == known.user_id).with_for_update()
        user = (await tx.session.scalars(this)).one()
        if user.status == "invited":
            user.status = "active"
            user.updated_at = tx.now
            await tx.session.flush()
            tell_user(tx, user, UserUpdated(fields=["status"]))


def _itself(found: Row[Any], user_id: Any) -> Principal:
    return Principal(kind="partner", user_id=user_id, partner_id=found.partner_id, gen=1)


def _client(keyring: Keyring, found: Row[Any]) -> Client:
    secret = keyring.sealer.open(found.sealed, found.connection_id).decode()
    return Client(issuer=found.issuer, client_id=found.client_id, secret=secret, redirect_uri=found.redirect_uri)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
