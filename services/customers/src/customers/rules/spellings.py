"""Spellings: what stays of a name however somebody writes it in Latin letters.

A name is cut into words, each folded (``Petrow`` and ``Petrov`` are one) and beside it its
skeleton, which has no vowels, because scripts like Arabic write few: ``mhmd`` is Mohammed.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from anyascii import anyascii
from rapidfuzz import fuzz

from customers.rules import lookalikes

_ARABIC_ARTICLE: Final = re.compile(r"\b\u0627\u0644(?=\w{2})")
_MARKS: Final = re.compile(r"['`\u2018\u2019\u02bc]")
_WORDS: Final = re.compile(r"[a-z0-9]+")
_HARD_C: Final = re.compile(r"c(?!h)")
_SOUNDS: Final = tuple(
    pair.split(">") for pair in ("tsch>ch", "sch>sh", "tch>ch", "kh>h", "zh>s", "ph>f", "th>t", "ck>k", "q>k", "w>v", "x>ks", "z>s")
)
_VOWELS: Final = frozenset("aeiouy")
_ALIKE, _RATHER_ALIKE = 85, 70
_LONG_ENOUGH: Final = 5
_BONES, _MANY_BONES = 3, 4

_FORMS: Final = """
aktiengesellschaft ao ap as asa ag ab bhd bt bv bvba co corp corporation dd dmcc doo ead eood ev fzc fzco fze gesellschaft gmbh inc
incorporated jsc kft kg kgaa kk limitada limited llc llp ltd ltda mbh nv oao ohg ooo ood oy oyj pao pjsc plc pte pty pvt sa sal sarl
sas sdn se sp spa spol spolka srl sro tbk ug unlimited wll zao zoo zrt
"""
_PARTICLES: Final = "al el the of and und et y e de del della di da do dos das der die den von van bin ibn for fur la le les il o z"
_GENERIC: Final = """
agency alliance asia africa america associates austria austrian berlin bank branch bureau business center central centre chemical
city commerce commercial company compania concern construction consult consulting corporate de deutsch deutsche deutscher deutschland
development digital distribution east eastern electronics energy engineering enterprise enterprises equipment eu euro europe european
export expert experts finance financial first foundation france frankreich general german germany global great group gruppe gulf
handel handels handelsgesellschaft haus hamburg holding holdings house import imports industrial industrie industries industry
institute international investment investments italia italy it kompaniya kontor limited logistic logistics logistik machine machinery
management marine maritime marketing media medical middle munchen national network new nord nordic north northern office oil one online
organisation organization ost partner partners petroleum pharma plus procurement product production products projects property real
research russia schweiz science service services servis shipping shop software solutions south southern spain state store sud suisse
supplies supply switzerland system systems systeme team tech technical technik technologies technology tehnika telecom torgovaya
torgovyy trade trader trading transport travel treyding turkey uk union united universal us usa vest west western world worldwide
""".replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name, folded. ``bones`` is its skeleton."""

    text: str
    bones: str

    def like(self, other: "Word") -> bool:
        """Whether both may be spellings of one word."""
        if self.text == other.text:
            return True
        ratio = fuzz.ratio(self.text, other.text)
        if self.bones == other.bones and len(self.bones) >= _BONES:
            return len(self.bones) >= _MANY_BONES or ratio >= _RATHER_ALIKE or self.unvowelled or other.unvowelled
        return ratio >= _ALIKE and min(len(self.text), len(other.text)) >= _LONG_ENOUGH

    @property
    def unvowelled(self) -> bool:
        """Whether its script left the vowels out."""
        return not _VOWELS.intersection(self.text.replace("y", ""))


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name in words without its legal form. ``core`` are those that tell it from others, ``generic`` the rest."""

    words: tuple[Word, ...]
    core: tuple[Word, ...]
    generic: frozenset[str]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def glued(self) -> str:
        """The telling words as one, for who leaves out a space."""
        return "".join(word.text for word in self.core or self.words)

    @property
    def bones(self) -> str:
        return "".join(sorted(word.bones for word in self.core or self.words))


def spell(name: str) -> Spelling:
    found = _cut(name)
    words = tuple(_word(one) for one in found if one not in _LEGAL_FORMS) or tuple(map(_word, found))
    core = tuple(word for word in words if len(word.text) > 1 and word.text not in _COMMON)
    return Spelling(words, core, frozenset(word.text for word in words if word.text in _COMMON))


def _cut(name: str) -> list[str]:
    separated = _ARABIC_ARTICLE.sub("", lookalikes.plain(unicodedata.normalize("NFKC", name))).replace("\u0629", "\u0627")
    return _WORDS.findall(_MARKS.sub("", anyascii(separated).casefold()))


@lru_cache(maxsize=200_000)
def _word(text: str) -> Word:
    folded = text
    for long, short in _SOUNDS:
        folded = folded.replace(long, short)
    folded = _HARD_C.sub("k", folded)
    bones = "".join(letter for letter, _ in groupby(one for one in folded if one not in _VOWELS))
    return Word(folded, bones)


_LEGAL_FORMS: Final = frozenset(_FORMS.split())
_COMMON: Final = frozenset(_word(one).text for one in (*_GENERIC.split(), *_PARTICLES.split()))
