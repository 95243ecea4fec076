"""Scenarios: rate a whole case, and compare what came out with what was expected.

The result depends on the case alone: the same case gives byte-equal lines, with ids counted from 1 unless given.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import count
from uuid import UUID

from pydantic import AwareDatetime

from licensing.billing.changes import grid_of
from licensing.billing.lines import Line, allocated, net
from licensing.billing.money import rounded
from licensing.billing.periods import TrialEnd, trial_end, trial_end_at
from licensing.billing.policies import Frozen, Terms
from licensing.billing.proration import Axis, local_day, ratio_between
from licensing.billing.running import run
from licensing.billing.schema import Case, Expected, ExpectedLine, Stretch, Trial
from licensing.billing.timeline import Notice

RATIO_DIGITS = 9


class Rating(Frozen):
    """What a case comes to."""

    name: str
    lines: tuple[Line, ...] = ()
    net: Decimal = Decimal(0)
    children: tuple[tuple[Line, ...], ...] = ()
    notices: tuple[Notice, ...] = ()
    ratio: Decimal | None = None
    trial_ends_local: datetime | None = None
    trial_ends_utc: AwareDatetime | None = None


def rate(case: Case, ids: Iterator[UUID] | None = None) -> Rating:
    """Rate a case. Ids of lines are taken from ``ids``. Raises ``ValueError`` where the case contradicts itself."""
    given = (UUID(int=number) for number in count(1)) if ids is None else ids
    axis = Axis(case.policy.convention, case.zone)
    trial = _end_of_trial(case.trial, axis) if case.trial else None
    told = run(case, axis, trial, given)
    weights = [share.weight for share in case.allocate]
    return Rating(
        name=case.name,
        lines=told.lines,
        net=net(told.lines),
        children=tuple(allocated(line, weights, given) for line in told.lines) if weights else (),
        notices=told.notices,
        ratio=rounded(_ratio(case.terms, case.ratio_of, axis), RATIO_DIGITS) if case.terms and case.ratio_of else None,
        trial_ends_local=trial.local if trial else None,
        trial_ends_utc=trial.utc if trial else None,
    )


def differences(case: Case, rating: Rating) -> list[str]:
    """Say in words where a rating is not what the case expects; an empty list says that it is."""
    expect = case.expect
    found = _line_differences(expect.lines, rating.lines) if expect.lines is not None else []
    pairs: list[tuple[str, object, object]] = [
        ("net", expect.net, rating.net),
        ("notices", expect.notices, tuple(notice.code for notice in rating.notices)),
        ("children", expect.children, tuple(tuple(child.amount for child in family) for family in rating.children)),
        ("ratio", expect.ratio, _ratio_as_written(case, expect)),
        ("trial_ends_local", expect.trial_ends_local, rating.trial_ends_local),
        ("trial_ends_utc", expect.trial_ends_utc, rating.trial_ends_utc),
    ]
    return found + [f"{name}: expected {wanted}, got {got}" for name, wanted, got in pairs if wanted is not None and wanted != got]


def _end_of_trial(trial: Trial, axis: Axis) -> TrialEnd:
    if trial.length:
        return trial_end(local_day(axis.instant(trial.starts), axis), trial.length, axis.zone)
    if trial.ends_at is None:
        raise ValueError("a trial has a length or an end")
    return trial_end_at(trial.ends_at, axis.zone)


def _ratio(terms: Terms, stretch: Stretch, axis: Axis) -> Fraction:
    grid = grid_of(terms, local_day(axis.position(stretch.starts), axis))
    return ratio_between(grid, stretch.starts, stretch.ends, axis)


def _ratio_as_written(case: Case, expect: Expected) -> Decimal | None:
    if expect.ratio is None or case.terms is None or case.ratio_of is None:
        return None
    digits = max(0, -int(expect.ratio.as_tuple().exponent))
    return rounded(_ratio(case.terms, case.ratio_of, Axis(case.policy.convention, case.zone)), digits)


def _line_differences(expected: Sequence[ExpectedLine], lines: Sequence[Line]) -> list[str]:
    left = list(lines)
    missing: list[str] = []
    # The most precise wishes choose first, so that a vague one does not take their line.
    for wish in sorted(expected, key=lambda wish: len(wish.model_fields_set), reverse=True):
        match = next((line for line in left if _fulfils(line, wish)), None)
        if match is None:
            missing.append(f"expected but not there: {wish.model_dump_json(exclude_none=True, exclude_defaults=True)}")
        else:
            left.remove(match)
    return missing + [f"there but not expected: {line.reason} {line.amount}" for line in left]


def _fulfils(line: Line, wish: ExpectedLine) -> bool:
    facts: dict[str, object] = {**dict(line), "starts": line.period.starts, "ends": line.period.ends}
    return all(facts[name] == wanted for name, wanted in wish if name != "what" and wanted is not None)
