"""OpenID Connect, as its relying party: where to send somebody, and what came back (OpenID Connect Core 1.0, RFC 7636).

Discovery documents and keys are remembered for five minutes; a key that is not known is looked for at once, but no
more often than every five seconds. What an id token says is believed only under its issuer's signature.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, Token

from customers.rules.outgoing import NotReached, Outgoing

REMEMBERED: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=5)
LEEWAY: Final = 60
_MOST: Final = 1000
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]


class Unusable(Exception):
    """The provider, or what it said, cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks a provider."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What only this one sign-in knows. ``verifier`` proves that who fetches the token is who began (PKCE)."""

    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Begun":
        return cls(nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What discovery said, and the keys of the moment."""

    authorization: str
    token: str
    jwks: str
    keys: KeySet
    fetched_at: datetime


@dataclass(slots=True)
class Providers:
    """The providers that were asked lately."""

    outgoing: Outgoing
    _known: dict[str, Provider] = field(default_factory=dict)

    async def authorization_url(self, client: Client, begun: Begun, state: str, now: datetime) -> str:
        """Where to send somebody.

        Raises:
            Unusable: the provider says nothing that could be used.
        """
        provider = await self._provider(client.issuer, now, REMEMBERED)
        asked = {
            "response_type": "code",
            "scope": "openid email profile",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        return f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(asked)}"

    async def claims(self, client: Client, begun: Begun, code: str, now: datetime) -> dict[str, Any]:
        """What the provider says of whoever came back with a code.

        Raises:
            Unusable: it says nothing, or nothing that is to be believed.
        """
        provider = await self._provider(client.issuer, now, REMEMBERED)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri, "code_verifier": begun.verifier}
        try:
            answer = await self.outgoing.post(provider.token, form, (client.client_id, client.secret))
            token = str(answer["id_token"])
        except (NotReached, KeyError, TypeError) as failure:
            raise Unusable("no id token") from failure
        try:
            said = _signed(token, provider.keys)
        except (JoseError, ValueError):
            provider = await self._provider(client.issuer, now, PAUSE)
            said = _signed_or_unusable(token, provider.keys)
        return _checked(said, client, begun, now)

    async def _provider(self, issuer: str, now: datetime, lately: timedelta) -> Provider:
        known = self._known.get(issuer)
        if known is not None and now - known.fetched_at < lately:
            return known
        try:
            said = await self.outgoing.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if said["issuer"] != issuer:
                raise Unusable("another issuer")
            keys = KeySet.import_key_set(await self.outgoing.get(said["jwks_uri"]))
            found = Provider(
                authorization=str(said["authorization_endpoint"]),
                token=str(said["token_endpoint"]),
                jwks=str(said["jwks_uri"]),
                keys=keys,
                fetched_at=now,
            )
        except (NotReached, JoseError, KeyError, TypeError, ValueError) as failure:
            raise Unusable("no discovery document, or no keys") from failure
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[issuer] = found
        return found


def _signed(token: str, keys: KeySet) -> Token:
    return jwt.decode(token, keys, algorithms=_ALGORITHMS)


def _signed_or_unusable(token: str, keys: KeySet) -> Token:
    try:
        return _signed(token, keys)
    except (JoseError, ValueError) as forged:
        raise Unusable("not the issuer's signature") from forged


def _checked(token: Token, client: Client, begun: Begun, now: datetime) -> dict[str, Any]:
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": client.issuer},
        aud={"essential": True, "value": client.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": begun.nonce},
    )
    try:
        rules.validate(token.claims)
    except JoseError as wrong:
        raise Unusable("claims that are not for us") from wrong
    if token.claims.get("azp", client.client_id) != client.client_id:
        raise Unusable("a token for another party")
    return dict(token.claims)
