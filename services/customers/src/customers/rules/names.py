"""Names as they are compared: word by word, transliterated, without case."""

import re
from typing import Final

from chassis.names import search_key

__all__ = ["company_key", "search_key", "words"]

_WORDS: Final = re.compile(r"[a-z0-9]+")


def words(name: str) -> list[str]:
    return _WORDS.findall(search_key(name))


def company_key(name: str) -> str:
    """What makes two companies the same name: its words, whatever stands between them."""
    return " ".join(words(name)) or search_key(name)
