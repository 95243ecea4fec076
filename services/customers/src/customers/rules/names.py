"""Names as they are compared: as they seem to whoever reads them, without case.

Words in Latin letters are the same with and without their accents. Those of other scripts are the
same only as they are written: two that sound alike are two names.
"""

import hashlib
import re
import unicodedata
from typing import Final

from anyascii import anyascii

from chassis.names import search_key
from customers.rules import lookalikes

__all__ = ["company_key", "search_key"]

_WORDS: Final = re.compile(r"[^\W_]+")
_LONGEST: Final = 500
"""Bytes of a key, as an index takes it."""


def company_key(name: str) -> str:
    """What makes two companies the same name: its words, whatever stands between them."""
    seems = lookalikes.plain(unicodedata.normalize("NFKC", name))
    words = (word for found in _WORDS.findall(seems) for word in _written(found).split())
    key = " ".join(words) or search_key(name)
    if len(key.encode()) <= _LONGEST:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def _written(word: str) -> str:
    latin = all(unicodedata.name(one, "").startswith("LATIN") for one in word if one.isalpha())
    return (anyascii(word) if latin else word).casefold()
