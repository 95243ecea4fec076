"""Trying policies: what would happen by a document, before anybody is held to it (BEY-04).

Each kind says what a case of it looks like, and decides one with the very rule that refuses; where it is
about what is there already, its present cases are decided by the document and by what is in force, and those that
would be decided otherwise are counted. Nothing is kept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import JsonValue, ValidationError

from chassis.database import Transaction
from chassis.errors import Refusal
from chassis.http.bodies import Body
from chassis.http.invalid import field_errors
from chassis.http.views import Stored, View
from chassis.policies.documents import InForce, Policy
from chassis.policies.kinds import Kinds, PolicyRefused

MOST: Final = 10_000
"""Present cases that are looked at."""
_GRANTED: Final = "Nothing is against it."

type Decide = Callable[[InForce[Any], Any], Refusal | None]
type Outcome = Callable[[Any, Any], Mapping[str, JsonValue]]
type Present = Callable[[Transaction, int], Awaitable[Sequence[Any]]]
"""The cases of the transaction's partner that its principal sees, so many at most."""


def _nothing(_policy: Any, _case: Any) -> Mapping[str, JsonValue]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a kind is tried. ``rule`` is named where nothing is against a case; ``outcome`` is what else the document says of it."""

    case: type[Body]
    rule: str
    decide: Decide
    outcome: Outcome = _nothing
    present: Present | None = None


class Tried(Body):
    """`document` is tried as if it were published, the one in force where it is left out; `case` is decided by it."""

    document: dict[str, Any] | None = None
    case: dict[str, Any] | None = None


class DecisionView(View, frozen=True, kw_only=True):
    """What becomes of a case. `outcome` is what the document says of it besides."""

    allowed: bool
    rule: str
    policy_version: str
    reason: str
    remedy: str | None
    outcome: Stored[dict[str, Any]]


class PresentView(View, frozen=True, kw_only=True):
    """What would become of what is there now: how many `cases`, how many are `refused`, and how many are decided `otherwise` than now."""

    cases: int
    refused: int
    otherwise: int


class TrialView(View, frozen=True, kw_only=True):
    """`policy_version` is that of the document tried; a draft's is the next one. `takes` (JSON Schema) is what a case looks like.

    `present` is null where the kind is not about what is there already.
    """

    service: str
    kind: str
    draft: bool
    policy_version: str
    decision: DecisionView | None
    present: PresentView | None
    takes: Stored[dict[str, Any]]


async def tried(tx: Transaction, service: str, kinds: Kinds, trials: Mapping[str, Trial], *, kind: str, body: Tried) -> TrialView:
    """What would happen.

    Raises:
        PolicyNotFound: there is no such kind.
        PolicyRefused: the document, or the case, is not as it must be.
    """
    shape = kinds.shape(kind)
    trial = trials[shape.kind]
    standing: InForce[Policy] = await kinds.documents.in_force(tx, shape)
    by = standing if body.document is None else InForce(standing.version + 1, kinds.check(kind, body.document))
    return TrialView(
        service=service,
        kind=kind,
        draft=body.document is not None,
        policy_version=str(by.version),
        decision=None if body.case is None else decided(trial, by, _case(trial, body.case)),
        present=None if trial.present is None else _counted(trial, by, standing, await trial.present(tx, MOST)),
        takes=msgspec.Raw(msgspec.json.encode(trial.case.model_json_schema())),
    )


def decided(trial: Trial, by: InForce[Any], case: Any) -> DecisionView:
    """One case."""
    refusal = trial.decide(by, case)
    return DecisionView(
        allowed=refusal is None,
        rule=(refusal.rule if refusal else None) or trial.rule,
        policy_version=(refusal.policy_version if refusal else None) or str(by.version),
        reason=refusal.detail if refusal else _GRANTED,
        remedy=refusal.remedy if refusal else None,
        outcome=msgspec.Raw(msgspec.json.encode(dict(trial.outcome(by.policy, case)))),
    )


def _counted(trial: Trial, by: InForce[Any], standing: InForce[Any], cases: Sequence[Any]) -> PresentView:
    then = [trial.decide(by, one) is not None for one in cases]
    now = [trial.decide(standing, one) is not None for one in cases]
    return PresentView(cases=len(cases), refused=sum(then), otherwise=sum(one != other for one, other in zip(then, now, strict=True)))


def _case(trial: Trial, said: dict[str, Any]) -> Body:
    try:
        return trial.case.model_validate(said)
    except ValidationError as wrong:
        errors = field_errors([{**error, "loc": ("body", "case", *error["loc"])} for error in wrong.errors()], {"case": said})
        raise PolicyRefused("The case is not as it must be.", errors=errors) from wrong
