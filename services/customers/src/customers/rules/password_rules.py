"""What a new password must be (NIST SP 800-63B-4, 3.1.1.2): long, not common, not made of what is known of its user.

At least 15 characters where it is all that signs in, 8 beside a second factor; any characters, spaces
too; no composition, no expiry. The list of common ones is shipped, so none is sent anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from chassis.errors import FieldError
from customers.errors import PasswordRefused

SHORTEST: Final = 15
SHORTEST_BESIDE: Final = 8
"""Beside a second factor."""
LONGEST: Final = 128
_OURS: Final = ("partnerdeck",)
_SHORTEST_WORD: Final = 4
_OWN: Final = 8
"""Characters that must be left of a password without what is known of its user."""
_EDGES: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_WORDS: Final = re.compile(r"[^\W_]+")


def check(password: str, known: Iterable[str | None], *, second_factor: bool = False, pointer: str = "/password") -> None:
    """What a new password must be; ``known`` is what everybody may know: address, name, company. ``pointer`` is where the body says it.

    Raises:
        PasswordRefused: says why.
    """
    shortest = SHORTEST_BESIDE if second_factor else SHORTEST
    if not shortest <= len(password) <= LONGEST:
        raise PasswordRefused(errors=[FieldError(pointer, "length", f"{shortest} to {LONGEST} characters.")])
    folded = unicodedata.normalize("NFKC", password).casefold()
    for code, detail, refused in (
        ("common", "Too many people have this password.", _is_common(folded)),
        ("repetitive", "Not one thing again and again, nor a row of neighbours.", _is_repetitive(folded)),
        ("about_you", "Not made of your address, your name, your company or the name of this service.", _is_about(folded, known)),
    ):
        if refused:
            raise PasswordRefused(errors=[FieldError(pointer, code, detail)])


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Passwords that many people chose."""
    text = (files("customers.rules") / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def _is_common(folded: str) -> bool:
    """Also with digits and signs around it, and several times over."""
    forms = {folded, _EDGES.sub("", folded), _unit(folded)}
    return any(form in common() for form in forms)


def _is_repetitive(folded: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return len(_unit(folded)) < _OWN or (len(steps) == 1 and steps <= {-1, 0, 1})


def _is_about(folded: str, known: Iterable[str | None]) -> bool:
    words = {word for one in (*_OURS, *known) if one for word in (one.casefold(), *_WORDS.findall(one.casefold()))}
    left = folded
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST_WORD:
            left = left.replace(word, "")
    return left != folded and len(_EDGES.sub("", left)) < _OWN


def _unit(folded: str) -> str:
    """What a text repeats; all of it where it repeats nothing."""
    period = (folded + folded).find(folded, 1)
    return folded[:period]
