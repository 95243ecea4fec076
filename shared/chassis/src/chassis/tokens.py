"""Identity tokens: who a request comes from, signed by customers, checked by everybody (RFC 9068).

Ed25519 and nothing else, whatever a token's header says. A token says only what never changes
in a user; what the user may do is read from the access projection.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.errors import Kind, Refusal
from chassis.keys import KeySet
from chassis.principal import Principal

ALGORITHM: Final = "Ed25519"
TYPE: Final = "at+jwt"
ISSUER: Final = "partnerdeck"
AUDIENCE: Final = "partnerdeck"
LIFETIME: Final = timedelta(minutes=5)
REMEMBERED: Final = timedelta(seconds=60)
MOST_REMEMBERED: Final = 10_000
MOST_LEEWAY: Final = timedelta(seconds=5)
_LONGEST: Final = 4096


class TokenMissing(Refusal):
    """Nobody is signed in."""

    kind = Kind.UNAUTHENTICATED
    code = "token_missing"
    remedy = "Sign in, and send the access token as Authorization: Bearer."


class TokenInvalid(Refusal):
    """The access token is not valid."""

    kind = Kind.UNAUTHENTICATED
    code = "token_invalid"
    remedy = "Sign in again."


class TokenExpired(Refusal):
    """The access token has expired."""

    kind = Kind.UNAUTHENTICATED
    code = "token_expired"
    remedy = "Exchange the refresh token for a new access token."


class _Claims(msgspec.Struct, frozen=True):
    iss: Literal["partnerdeck"]
    aud: Literal["partnerdeck"]
    sub: UUID
    partner: UUID
    kind: Literal["operator", "partner", "customer", "service"]
    gen: int
    iat: int
    exp: int
    sid: UUID | None = None
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens with one private key. Only customers has one."""

    key: OKPKey

    def issue(self, principal: Principal, now: datetime, *, until: datetime | None = None) -> tuple[str, datetime]:
        """A token for five minutes, not longer than ``until``, and when it expires.

        Whom the principal acts as is said by the request, not the token.
        """
        expires_at = min(now + LIFETIME, until or now + LIFETIME).replace(microsecond=0)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(principal.user_id),
            "partner": str(principal.partner_id),
            "kind": principal.kind,
            "gen": principal.gen,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        claims |= {"sid": str(principal.session_id)} if principal.session_id else {}
        claims |= {"customer": str(principal.customer_id)} if principal.customer_id else {}
        self.key.ensure_kid()
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[ALGORITHM]), expires_at


class Verifier:
    """Checks tokens, and remembers those that were good: the signature is checked once a minute and token."""

    def __init__(self, keys: KeySet, *, leeway: timedelta = MOST_LEEWAY) -> None:
        if not timedelta() <= leeway <= MOST_LEEWAY:
            raise ValueError("the leeway is 0 to 5 seconds")
        self._keys = keys
        self._leeway = leeway
        self._known: dict[bytes, tuple[Principal, datetime]] = {}

    async def verify(self, token: str, now: datetime) -> Principal:
        """Who the token says is asking.

        Raises:
            TokenInvalid: it is not one of ours, or was changed.
            TokenExpired: it was good once.
            KeysUnavailable: its key is not known, and the issuer cannot be asked.
        """
        if len(token) > _LONGEST or not token.isascii():
            raise TokenInvalid
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and now < known[1]:
            return known[0]
        claims = _read(await self._signed(token, now))
        expires_at = self._in_time(claims, now)
        principal = _principal(claims)
        self._remember(digest, principal, min(expires_at, now + REMEMBERED))
        return principal

    async def _signed(self, token: str, now: datetime) -> bytes:
        """The payload of a token whose signature holds."""
        try:
            header = jws.extract_compact(token.encode()).headers()
            if header.get("typ") != TYPE or header.get("alg") != ALGORITHM or "crit" in header:
                raise TokenInvalid
            key = await self._keys.find(str(header.get("kid")), now)
            if key is None:
                raise TokenInvalid
            return jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
        except (JoseError, ValueError) as broken:
            raise TokenInvalid from broken

    def _in_time(self, claims: _Claims, now: datetime) -> datetime:
        try:
            issued_at, expires_at = datetime.fromtimestamp(claims.iat, UTC), datetime.fromtimestamp(claims.exp, UTC)
        except (ValueError, OverflowError, OSError) as absurd:
            raise TokenInvalid from absurd
        if now >= expires_at + self._leeway:
            raise TokenExpired
        if now < issued_at - self._leeway or expires_at - issued_at > LIFETIME + timedelta(seconds=1):
            raise TokenInvalid
        return expires_at + self._leeway

    def _remember(self, digest: bytes, principal: Principal, until: datetime) -> None:
        self._known.pop(digest, None)
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = principal, until


def bearer(authorization: str | None) -> str:
    """The token of an ``Authorization`` header.

    Raises:
        TokenMissing: there is none of type Bearer.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def _read(payload: bytes) -> _Claims:
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except msgspec.MsgspecError as malformed:
        raise TokenInvalid from malformed


def _principal(claims: _Claims) -> Principal:
    return Principal(
        kind=claims.kind,
        user_id=claims.sub,
        partner_id=claims.partner,
        gen=claims.gen,
        session_id=claims.sid,
        customer_id=claims.customer,
    )
