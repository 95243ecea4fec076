"""The frame: rows, their rounds, and what is concluded from them.

A row measures itself and its limit one after the other, round by round, so that whatever else
the machine does falls on both. Ratios are judged, figures never: they are the machine's.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

ROUNDS: Final = 3

type Verdict = Literal["ok", "short", "printed", "not measured"]


class NotHere(Exception):
    """What a row needs is not on this machine; the message says what."""


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of ours and of the limit, in the row's unit."""

    ours: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio must reach, and what is aimed at."""

    bar: float
    aim: float
    most: bool

    def holds(self, ratio: float) -> bool:
        return ratio <= self.bar if self.most else ratio >= self.bar

    def __str__(self) -> str:
        return f"≤ {self.bar:g} (aim {self.aim:g})" if self.most else f"≥ {self.bar:g} (aim {self.aim:g})"


def at_least(bar: float, *, aim: float) -> Bar:
    """Of the limit's speed."""
    return Bar(bar, aim, most=False)


def at_most(bar: float, *, aim: float) -> Bar:
    """Times the limit."""
    return Bar(bar, aim, most=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``rate`` says that more is better; else the figure is a cost."""

    id: str
    work: str
    against: str
    unit: str
    bar: Bar | None
    rate: bool
    rounds: Callable[[Any], AsyncIterator[Round]]
    cause: str
    """Why it is short of its bar or its aim, as far as that is known."""


ROWS: Final[list[Row]] = []


def row(  # noqa: PLR0913 (a line of the table has that many columns)
    name: str, work: str, *, against: str, unit: str, bar: Bar | None = None, rate: bool = False, cause: str = ""
) -> Callable[[Callable[[Any], AsyncIterator[Round]]], Callable[[Any], AsyncIterator[Round]]]:
    """Make a row of an async generator that is given the stage and yields rounds for as long as it is asked."""

    def add(rounds: Callable[[Any], AsyncIterator[Round]]) -> Callable[[Any], AsyncIterator[Round]]:
        ROWS.append(Row(id=name, work=work, against=against, unit=unit, bar=bar, rate=rate, rounds=rounds, cause=cause))
        return rounds

    return add


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured of a row, or why nothing was."""

    row: Row
    rounds: Sequence[Round] = ()
    missing: str = ""

    @property
    def ours(self) -> float | None:
        return median(one.ours for one in self.rounds) if self.rounds else None

    @property
    def limit(self) -> float | None:
        limits = [one.limit for one in self.rounds if one.limit is not None]
        return median(limits) if limits else None

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' own ratios: how much of the limit's speed is reached, or how many times the limit it takes."""
        ratios = [ratio for one in self.rounds if (ratio := self._ratio(one)) is not None]
        return median(ratios) if ratios else None

    @property
    def verdict(self) -> Verdict:
        if self.missing or not self.rounds:
            return "not measured"
        if self.row.bar is None or self.ratio is None:
            return "printed"
        return "ok" if self.row.bar.holds(self.ratio) else "short"

    def _ratio(self, one: Round) -> float | None:
        if not one.limit or not one.ours:
            return None
        share = self.row.bar is not None and not self.row.bar.most
        return one.limit / one.ours if share and not self.row.rate else one.ours / one.limit


async def measure(row: Row, stage: Any, times: int = ROUNDS) -> Result:
    """Take a row's rounds."""
    rounds = row.rounds(stage)
    taken: list[Round] = []
    try:
        async for one in rounds:
            taken.append(one)
            if len(taken) == times:
                break
    except NotHere as missing:
        return Result(row=row, missing=str(missing))
    finally:
        await rounds.aclose()  # type: ignore[attr-defined]  # an async generator is one
    return Result(row=row, rounds=taken)
