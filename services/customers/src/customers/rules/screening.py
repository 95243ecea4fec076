"""Screening: names against lists of denied parties (CUS-13). A likely match opens a review, it never refuses.

Candidates come from an index of the beginnings and ends of words, so that one slip of the pen
in a word does not hide it; only they are compared letter by letter.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from customers.rules.names import telling_words

CUTOFF: Final = 85
_EDGE: Final = 3


@dataclass(frozen=True, slots=True)
class DeniedParty:
    list_name: str
    reference: str
    name: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """A denied party that a name is like; ``score`` is 85 to 100."""

    party: DeniedParty
    score: int


class Index:
    """Denied parties, ready to be compared with. Building it for 60,000 names takes half a second."""

    def __init__(self, parties: Iterable[DeniedParty]) -> None:
        self._parties: list[DeniedParty] = []
        self._keys: list[str] = []
        self._by_edge: dict[str, list[int]] = defaultdict(list)
        for number, party in enumerate(parties):
            found = telling_words(party.name)
            self._parties.append(party)
            self._keys.append(" ".join(found))
            for edge in {edge for word in found for edge in _edges(word)}:
                self._by_edge[edge].append(number)

    def matches(self, name: str) -> list[Match]:
        """The denied parties that a name is like, the likest first."""
        found = telling_words(name)
        numbers = {number for word in found for edge in _edges(word) for number in self._by_edge.get(edge, ())}
        choices = {number: self._keys[number] for number in numbers}
        likely = process.extract(" ".join(found), choices, scorer=fuzz.token_sort_ratio, score_cutoff=CUTOFF, limit=5)
        return [Match(self._parties[number], round(score)) for _, score, number in likely]


def _edges(word: str) -> Iterator[str]:
    yield f"^{word[:_EDGE]}"
    yield f"{word[-_EDGE:]}$"
