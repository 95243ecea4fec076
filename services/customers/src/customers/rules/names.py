"""Names as they are compared and searched: transliterated, without case, so that ``Muller`` finds ``Müller``."""

import re
import unicodedata
from typing import Final

from anyascii import anyascii

_SPACES: Final = re.compile(r"\s+")
_WORDS: Final = re.compile(r"[a-z0-9]+")
_FORMS: Final = """
ab ag as bv co company corp corporation ev gmbh inc jsc kg kk limitada limited llc llp ltd ltda nv ohg ooo oy plc pte pty sa sarl
sas se spa srl ug zao
"""
_LEGAL_FORMS: Final = frozenset(_FORMS.split())


def search_key(name: str) -> str:
    """What a fragment is looked for in, and what a list is sorted by."""
    plain = anyascii(unicodedata.normalize("NFKC", name)).casefold()
    return _SPACES.sub(" ", plain).strip() or name.casefold()


def words(name: str) -> list[str]:
    return _WORDS.findall(search_key(name))


def company_key(name: str) -> str:
    """What makes two companies the same name: its words, whatever stands between them."""
    return " ".join(words(name)) or search_key(name)


def telling_words(name: str) -> list[str]:
    """The words that tell one company from another: without its legal form, unless nothing else is left."""
    found = words(name)
    return [word for word in found if word not in _LEGAL_FORMS] or found
