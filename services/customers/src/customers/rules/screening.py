"""Screening: names against lists of denied parties (CUS-13). A likely match opens a review, it never refuses.

Candidates come from an index of the beginnings, ends and skeletons of words, so that one slip
of the pen in a word does not hide it; only they are compared. Beside a name that is alike as a
whole, one is found that somebody gave further words, or fewer, or wrote without its spaces, as
long as the words they share tell enough: a word that thousands of companies have is no concern.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from customers.rules.spellings import Spelling, Word, spell

CUTOFF: Final = 85
_MOST: Final = 5
_EDGE: Final = 3
_GLUED: Final = 88
_INSIDE: Final = 92
_SAME_BONES: Final = 60
_TELLING_WORDS, _TELLING_LETTERS, _TELLING_WORD = 2, 8, 12
_BONES: Final = 6


@dataclass(frozen=True, slots=True)
class DeniedParty:
    """A party under one of its names. A ``weak`` one is so common that only itself is a concern."""

    list_name: str
    reference: str
    name: str
    country: str | None
    weak: bool = False
    entity_type: str | None = None

    @property
    def entry(self) -> str:
        """What the list calls it, whichever of its names is meant."""
        return f"{self.list_name} {self.reference}"


@dataclass(frozen=True, slots=True)
class Match:
    """A denied party that a name is like; ``score`` is 85 to 100."""

    party: DeniedParty
    score: int


class Index:
    """Denied parties, ready to be compared with. Building it for 60,000 names takes one or two seconds."""

    def __init__(self, parties: Iterable[DeniedParty]) -> None:
        self._parties = list(parties)
        self._spellings = [spell(party.name) for party in self._parties]
        self._texts = [one.text for one in self._spellings]
        self._glued = [one.glued if _tells(one.core) else "" for one in self._spellings]
        self._by_key: dict[str, list[int]] = defaultdict(list)
        for number, spelling in enumerate(self._spellings):
            for key in {f"={spelling.bones}", *(key for word in spelling.core or spelling.words for key in _keys(word))}:
                self._by_key[key].append(number)

    def matches(self, name: str) -> list[Match]:
        """The denied parties that a name is like, the likest first."""
        mine = spell(name)
        shared = Counter(number for word in mine.words for number in self._near(word))
        found = self._alike(mine, list(shared))
        for number, words in shared.items():
            listed = self._spellings[number]
            if words >= min(len(listed.core), len(mine.core)) and _share_the_telling(listed, mine):
                found.add(number)
        meant = (number for number in found if not self._parties[number].weak or self._texts[number] == mine.text)
        scores = ((number, self._score(number, mine)) for number in meant)
        likest = sorted(scores, key=lambda one: (-one[1], one[0]))[:_MOST]
        return [Match(self._parties[number], score) for number, score in likest]

    def _near(self, word: Word) -> set[int]:
        return {number for key in _keys(word) for number in self._by_key.get(key, ())}

    def _alike(self, mine: Spelling, near: list[int]) -> set[int]:
        """As a whole, without the spaces, or as a part of what was written without them."""
        texts, glued = [self._texts[number] for number in near], [self._glued[number] for number in near]
        mine_glued, bones = mine.glued, mine.bones
        shorter = [one if len(one) <= len(mine_glued) else "" for one in glued]
        found = (
            *process.extract(mine.text, texts, scorer=fuzz.token_sort_ratio, score_cutoff=CUTOFF, limit=None),
            *process.extract(mine_glued, glued, scorer=fuzz.ratio, score_cutoff=_GLUED, limit=None),
            *process.extract(mine_glued, shorter, scorer=fuzz.partial_ratio, score_cutoff=_INSIDE, limit=None),
        )
        same_bones = self._by_key.get(f"={bones}", ()) if len(bones) >= _BONES else ()
        alike = {number for number in same_bones if fuzz.ratio(mine_glued, self._spellings[number].glued) >= _SAME_BONES}
        return alike | {near[place] for _, _, place in found}

    def _score(self, number: int, mine: Spelling) -> int:
        scores = fuzz.token_sort_ratio(mine.text, self._texts[number]), fuzz.ratio(mine.glued, self._glued[number])
        return max(CUTOFF, round(max(scores)))


def _share_the_telling(listed: Spelling, mine: Spelling) -> bool:
    """Whether one has all that tells the other from others: with words added, left out, or common ones exchanged."""
    added, left_out = _covered(listed.core, mine.core), _covered(mine.core, listed.core)
    if added and _tells(listed.core):
        return True
    if left_out and _tells(mine.core) and 2 * len(mine.core) >= len(listed.core):
        return True
    return added and left_out and bool(listed.core) and bool(listed.generic & mine.generic)


def _tells(words: tuple[Word, ...]) -> bool:
    letters = sum(len(word.text) for word in words)
    return letters >= (_TELLING_LETTERS if len(words) >= _TELLING_WORDS else _TELLING_WORD)


def _covered(words: tuple[Word, ...], by: tuple[Word, ...]) -> bool:
    """Whether each of the words is like another one of those."""
    left = list(by)
    for word in words:
        found = next((one for one in left if word.like(one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _keys(word: Word) -> Iterator[str]:
    yield f"^{word.text[:_EDGE]}"
    yield f"{word.text[-_EDGE:]}$"
    if len(word.bones) >= _EDGE:
        yield f"#{word.bones}"
