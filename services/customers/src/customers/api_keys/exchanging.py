"""Exchanging: a program shows its API key and is given an access token for five minutes (MKT-17).

Whoever guesses has 256 bits to guess, so nothing is counted; what cannot have been a key is not looked up.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from chassis.database import ApiDatabase
from chassis.database.audit import Subject
from chassis.errors import Refusal
from chassis.http import correlation
from chassis.http.views import View
from customers.errors.api_keys import ApiKeyInvalid
from customers.rules import key_secrets, letting_in
from customers.rules.keyring import Keyring

_FIND: Final = text("select * from door.find_api_key(:secret, :at)")


@dataclass(frozen=True, slots=True)
class Exchanged:
    access_token: str
    expires_at: datetime


class TokenView(View, frozen=True, kw_only=True):
    """``expires_in`` is the token's life in seconds; before it is over, the key is exchanged again."""

    access_token: str
    token_type: str
    expires_in: int


async def exchange(database: ApiDatabase, keyring: Keyring, now: datetime, *, key: str) -> Exchanged:
    """Give a token for a key; it ends with the key's secret, if that is sooner.

    Raises:
        ApiKeyInvalid: it is unknown, revoked or has expired.
        SignInRefused: the partner is not active.
    """
    secret = key_secrets.read(key)
    if secret is None:
        raise ApiKeyInvalid
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, {"secret": secret.hash, "at": now})).one_or_none()
    if found is None:
        raise ApiKeyInvalid
    principal, subject = letting_in.who(found), Subject(type="api_key", id=found.secret_id)
    try:
        if found.expires_at is not None and found.expires_at <= now:
            raise ApiKeyInvalid
        letting_in.admit(found)
    except Refusal as refusal:
        await database.note(principal, subject, correlation=correlation.current(), denied=refusal.code)
        raise
    await database.note(principal, subject, correlation=correlation.current())
    return Exchanged(*keyring.issuer.issue(principal, now, until=found.expires_at))


def shown(exchanged: Exchanged, now: datetime) -> TokenView:
    seconds = max(1, int((exchanged.expires_at - now).total_seconds()))
    return TokenView(access_token=exchanged.access_token, token_type="Bearer", expires_in=seconds)  # noqa: S106 (a type, no secret)
