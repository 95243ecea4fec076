"""The public keys that tokens are checked with: fetched once, kept, fetched again when they may have changed.

A fetch that fails changes nothing: the keys that are known go on being trusted. A key that is
not known is looked for at most once every five seconds, whoever asks.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.errors import Kind, Refusal

log = structlog.get_logger(__name__)

CURVE: Final = "Ed25519"
PAUSE: Final = timedelta(seconds=5)
FRESH: Final = timedelta(minutes=5)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class KeysUnavailable(Refusal):
    """Who is asking cannot be checked at the moment."""

    kind = Kind.UNAVAILABLE
    code = "keys_unavailable"
    remedy = "Try again in a moment."


class KeySet:
    """Public keys by their id. Made of keys at hand (customers, tests), or of an address to fetch them from."""

    def __init__(self, keys: Iterable[OKPKey] = (), *, url: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._keys = _by_id(keys)
        self._url = url
        self._transport = transport
        self._fetching = asyncio.Lock()
        self._tried_at = _LONG_AGO
        self._fetched_at = _LONG_AGO

    async def find(self, key_id: str, now: datetime) -> OKPKey | None:
        """The key, fetched if need be, one fetch for all who wait; None when the issuer, asked just now, has no such key.

        Raises:
            KeysUnavailable: it is not known here, and the issuer cannot be asked, or was asked too short a time ago.
        """
        if self._url is None:
            return self._keys.get(key_id)
        if key_id in self._keys and not self._due(key_id, now):
            return self._keys[key_id]
        known_at = self._fetched_at
        async with self._fetching:
            if self._due(key_id, now):
                await self._fetch(self._url, now)
        found = self._keys.get(key_id)
        if found is None and self._fetched_at == known_at:
            raise KeysUnavailable(retry_after=1)
        return found

    def _due(self, key_id: str, now: datetime) -> bool:
        wanted = key_id not in self._keys or now - self._fetched_at > FRESH
        return wanted and now - self._tried_at >= PAUSE

    async def _fetch(self, url: str, now: datetime) -> None:
        self._tried_at = now
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=2, trust_env=False) as client:
                answer = await client.get(url)
            fetched = _by_id(_read(answer.raise_for_status().json()))
        except (httpx.HTTPError, ValueError, JoseError) as failure:
            log.warning("keys_not_fetched", failure=repr(failure))
            return
        self._keys = fetched
        self._fetched_at = now


def signing_key(text: str) -> OKPKey:
    """A private key from its setting, PEM or JWK.

    Raises:
        ValueError: it is no private Ed25519 key.
    """
    try:
        key = OKPKey.import_key(text if text.lstrip().startswith("-----") else json.loads(text))
    except (JoseError, ValueError, TypeError) as unreadable:
        raise ValueError("the signing key is not a PEM or JWK that can be read") from unreadable
    if not key.is_private or key.curve_name != CURVE:
        raise ValueError("the signing key must be a private Ed25519 key")
    key.ensure_kid()
    return key


def published(keys: Iterable[OKPKey]) -> dict[str, list[dict[str, Any]]]:
    """What ``/.well-known/jwks.json`` answers: the public halves."""
    public = _by_id(keys).items()
    return {"keys": [{**key.as_dict(private=False), "kid": key_id, "use": "sig", "alg": CURVE} for key_id, key in public]}


def keys_of(document: Any) -> KeySet:
    """The keys of a JWK set at hand.

    Raises:
        ValueError: it is none.
        JoseError: one of its keys cannot be read.
    """
    return KeySet(_read(document))


def _by_id(keys: Iterable[OKPKey]) -> dict[str, OKPKey]:
    found = dict[str, OKPKey]()
    for key in keys:
        key.ensure_kid()
        found[str(key.kid)] = key
    return found


def _read(document: Any) -> list[OKPKey]:
    """The Ed25519 keys of a JWK set; others are another purpose's."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("no JWK set")  # noqa: TRY004 - an answer that cannot be used, like malformed JSON
    usable = [key for key in keys if isinstance(key, dict) and key.get("kty") == "OKP" and key.get("crv") == CURVE]
    return [OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x", "kid") if name in key}) for key in usable]
