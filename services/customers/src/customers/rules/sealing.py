"""Sealing: secrets that must be read again (of a second factor, of a sign-in elsewhere) lie encrypted in the database.

AES-256-GCM under a key of the environment. What is sealed is bound to what it belongs to, so a row
that was given another's secret does not open.
"""

import secrets
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY: Final = 32
_NONCE: Final = 12


class Unsealable(Exception):
    """No key of ours opens it: a key was taken away too early, or the row was tampered with."""


class Sealer:
    """Seals with the first key, opens with any: a new key is put before the old one until nothing is left under that."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY for key in keys):
            raise ValueError("a sealing key has 32 bytes")
        self._keys = [AESGCM(key) for key in keys]

    def seal(self, plain: bytes, about: UUID) -> bytes:
        """``about`` is whose it is: only with it does it open."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._keys[0].encrypt(nonce, plain, about.bytes)

    def open(self, sealed: bytes, about: UUID) -> bytes:
        """What was sealed about somebody.

        Raises:
            Unsealable: it was sealed with no key that is known, or about somebody else.
        """
        for key in self._keys:
            try:
                return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.bytes)
            except InvalidTag:
                continue
        raise Unsealable
