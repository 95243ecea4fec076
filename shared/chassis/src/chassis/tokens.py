"""Identity tokens: who a request comes from, signed by customers, checked by everybody (RFC 9068).

Ed25519 and nothing else, whatever a token's header says. A token says only what never changes
in a user; what the user may do is read from the access projection.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from contracts.customers.users import UserKind
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

    def issue(self, principal: Principal, now: datetime) -> tuple[str, datetime]:
        """A token for five minutes, and when it expires. Whom the principal acts as is said by the request, not the token."""
        expires_at = now.replace(microsecond=0) + LIFETIME
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
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self.key.ensure_kid()}
        return jwt.encode(header, claims, self.key, algorithms=[ALGORITHM]), expires_at
