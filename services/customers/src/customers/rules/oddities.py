"""Data that looks odd: not refused, but looked at by a person before anything is provisioned (CUS-14)."""

import re
import unicodedata
from typing import Final

_PLAIN: Final = frozenset(" .,'`&()/+-:\"#ºª№°\u2018\u2019\u201c\u201d\u201e\u00b4\u00ab\u00bb\u00b7\u2013")
_FILLERS: Final = """
abc, asdf, asdfasdf, bar, company, customer, dummy, example, foo, foobar, na, name, nil, nn, none, null, qwerty, qwertz, tbd,
test, test company, test test, tester, testing, unknown, xxx, xyz
"""
_PLACEHOLDERS: Final = frozenset(_FILLERS.replace("\n", " ").strip().split(", "))
_REPEATED: Final = re.compile(r"(\w)\1{2,}")
_REPEATED_LETTER: Final = re.compile(r"([^\W\d])\1{2,}|0{3,}")
_LONGEST_CODE: Final = 2


def special(text: str) -> bool:
    """Whether it has characters that no name or address has: neither letters, digits nor the usual marks."""
    return any(unicodedata.category(one)[0] not in "LMN" and one not in _PLAIN for one in text)


def placeholder(text: str) -> bool:
    """Whether it looks as if it only fills the field."""
    letters = "".join(one for one in text.casefold() if one.isalnum() or one == " ").strip()
    return letters in _PLACEHOLDERS or not any(one.isalpha() for one in letters) or bool(_REPEATED.fullmatch(letters))


def placeholder_code(text: str) -> bool:
    """The same for fields in which a number or a short code may stand alone, like ``20457`` or ``NA`` (Naples)."""
    letters = "".join(one for one in text.casefold() if one.isalnum() or one == " ").strip()
    return not letters or (letters in _PLACEHOLDERS and len(text) > _LONGEST_CODE) or bool(_REPEATED_LETTER.fullmatch(letters))
