"""P19: what a name costs that is compared with the lists of denied parties, and how many customers are looked at again in a second."""

import random
import time
from collections.abc import AsyncIterator
from typing import Final

from rapidfuzz import fuzz, process

from benchmarks.frame import Round, row
from benchmarks.stage import Stage
from customers.rules.screening import CUTOFF, DeniedParty, Index

LISTED: Final = 100_000
_ASKED: Final = 100
_NAMES_OF_A_CUSTOMER: Final = 2
_CONSONANTS: Final = "bcdfghjklmnprstvwz"
_VOWELS: Final = "aeiou"
_FORMS: Final = ("", " LLC", " GmbH", " Trading", " Holding", " OOO")


@row(
    "P19a",
    "a name against lists of 100,000, by the index",
    against="rapidfuzz's token_sort_ratio over all of them",
    unit="ms/name",
)
async def name_screened(_stage: Stage) -> AsyncIterator[Round]:
    asked, listed = _names(1, _ASKED), _names(2, LISTED)
    index = Index(DeniedParty("X", str(number), name, None) for number, name in enumerate(listed))
    folded = [name.casefold() for name in listed]
    while True:
        yield Round(ours=_each(asked, index), limit=_bare(asked[:10], folded))


@row(
    "P19b",
    "customers looked at again in one worker, two names each, against lists of 100,000",
    against="",
    unit="customers/s",
    rate=True,
)
async def customers_rescreened(_stage: Stage) -> AsyncIterator[Round]:
    asked = _names(3, _ASKED)
    index = Index(DeniedParty("X", str(number), name, None) for number, name in enumerate(_names(2, LISTED)))
    while True:
        yield Round(ours=1000 / (_each(asked, index) * _NAMES_OF_A_CUSTOMER))


def _each(asked: list[str], index: Index) -> float:
    begun = time.process_time()
    for name in asked:
        index.matches(name)
    return (time.process_time() - begun) * 1000 / len(asked)


def _bare(asked: list[str], listed: list[str]) -> float:
    begun = time.process_time()
    for name in asked:
        process.extract(name.casefold(), listed, scorer=fuzz.token_sort_ratio, score_cutoff=CUTOFF, limit=5)
    return (time.process_time() - begun) * 1000 / len(asked)


def _names(seed: int, count: int) -> list[str]:
    """Names as lists have them: two to four words, many of them rare, some with a legal form."""
    dice = random.Random(seed)  # noqa: S311 (the same names in every round)

    def word() -> str:
        return "".join(dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(dice.randint(2, 4))).title()

    return [" ".join(word() for _ in range(dice.randint(2, 4))) + dice.choice(_FORMS) for _ in range(count)]
