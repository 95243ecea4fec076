"""Look-alikes: letters of one alphabet that are taken for another's, so that a name is not what it seems (CUS-12, CUS-13, CUS-14).

A word is disguised that mixes alphabets which share letters, or that is written wholly in letters
which could be Latin beside words that are. Words of other scripts are as they are.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_ALIKE: Final = (
    "\u0410A \u0412B \u0415E \u0406I \u0408J \u041aK \u041cM \u041dH \u041eO "
    "\u0420P \u0421C \u0422T \u0423Y \u0425X \u0405S \u051aQ \u051cW "
    "\u0430a \u0432b \u0435e \u0456i \u0458j \u043ak \u043cm \u043dh \u043eo "
    "\u0440p \u0441c \u0442t \u0443y \u0445x \u0455s \u051bq \u051dw \u04bbh \u04cfl \u04c0l \u0501d \u0475v "
    "\u0391A \u0392B \u0395E \u0396Z \u0397H \u0399I \u039aK \u039cM \u039dN \u039fO \u03a1P \u03a4T \u03a5Y \u03a7X "
    "\u03b1a \u03b9i \u03bak \u03bdv \u03bfo \u03c1p \u03c4t \u03c5u \u03c7x \u03f2c \u0570h \u0578n \u057du \u0585o"
)
_LATIN: Final = str.maketrans({one[0]: one[1] for one in _ALIKE.split()})
_ALPHABETS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})


def disguised(text: str) -> bool:
    """Whether a word of it is not what it seems."""
    return plain(text) != text


def plain(text: str) -> str:
    """The same with its disguised words in the Latin letters that they are taken for."""
    words = _LETTERS.findall(text)
    latin = any(_alphabets(word) == {"LATIN"} for word in words)
    return _LETTERS.sub(lambda found: _unmasked(found[0], among_latin=latin), text)


def _unmasked(word: str, *, among_latin: bool) -> str:
    alphabets = _alphabets(word)
    seems = word.translate(_LATIN)
    if len(alphabets) > 1 or (among_latin and alphabets and _alphabets(seems) == {"LATIN"}):
        return seems
    return word


def _alphabets(word: str) -> set[str]:
    return {alphabet for letter in word if (alphabet := _alphabet(letter)) in _ALPHABETS}


@lru_cache(maxsize=4096)
def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
