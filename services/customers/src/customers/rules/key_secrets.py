"""Secrets of API keys: 256 random bits behind a name that scanners of leaked secrets know, and a checksum that tells typing errors.

What is kept of one is its hash, behind the door, and how it ends, for people to tell theirs apart.
"""

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "pdk_"
SHOWN: Final = 4
LENGTH: Final = 53
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM: Final = 32
_RANDOM_DIGITS: Final = 43
_CHECK_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is said once."""

    text: str

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def ending(self) -> str:
        return self.text[-SHOWN:]


def new() -> Secret:
    """``pdk_``, 43 digits of base 62, and 6 more that check them."""
    random = f"{PREFIX}{_digits(int.from_bytes(secrets.token_bytes(_RANDOM)), _RANDOM_DIGITS)}"
    return Secret(random + _check(random))


def read(text: str) -> Secret | None:
    """A secret that somebody sends; None where it never was one of ours, which nobody has to look up."""
    if len(text) != LENGTH or not text.isascii() or not text.startswith(PREFIX):
        return None
    return Secret(text) if _check(text[:-_CHECK_DIGITS]) == text[-_CHECK_DIGITS:] else None


def _check(text: str) -> str:
    return _digits(zlib.crc32(text.encode()), _CHECK_DIGITS)


def _digits(number: int, count: int) -> str:
    found = ""
    for _ in range(count):
        number, digit = divmod(number, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
