"""What cannot be taken back is confirmed by who was told what it does, and as it would be done now (GW-14)."""

from uuid import UUID

import pytest

from chassis.http import confirmations, problems
from chassis.http.confirmations import ConfirmationNeeded, ConfirmationOutdated, ConsequenceView, Effect

CUSTOMER = UUID(int=1)
LOSS = ConsequenceView(code="licence_lost", detail="Endpoint Security ends with the partner's licence.")
FOR_EVER = ConsequenceView(code="not_recoverable", detail="Nothing brings it back.", irreversible=True)


def unlinking(*consequences: ConsequenceView, version: int = 3) -> Effect:
    return Effect(verb="unlink", of=CUSTOMER, version=version, consequences=consequences)


def test_the_first_asking_says_what_would_happen_and_how_to_confirm_it() -> None:
    with pytest.raises(ConfirmationNeeded) as refused:
        confirmations.require(None, unlinking(LOSS))

    problem = problems.of(refused.value)
    assert (problem.status, problem.code, problem.rule) == (428, "confirmation_needed", "GW-14")
    assert problem.facts["consequences"] == [
        {"code": "licence_lost", "detail": "Endpoint Security ends with the partner's licence.", "irreversible": False}
    ]
    confirmations.require(str(problem.facts["confirmation"]), unlinking(LOSS))


def test_a_preview_says_the_same_confirmation() -> None:
    confirmations.require(confirmations.shown(unlinking(LOSS, FOR_EVER)).confirmation, unlinking(LOSS, FOR_EVER))


@pytest.mark.parametrize(
    "now",
    [
        unlinking(FOR_EVER),
        unlinking(LOSS, FOR_EVER),
        unlinking(LOSS, version=4),
        Effect(verb="unlink", of=UUID(int=2), version=3, consequences=[LOSS]),
        Effect(verb="delete", of=CUSTOMER, version=3, consequences=[LOSS]),
        Effect(verb="unlink", of=CUSTOMER, version=3, consequences=[LOSS], among="others"),
    ],
)
def test_a_confirmation_of_something_else_confirms_nothing(now: Effect) -> None:
    with pytest.raises(ConfirmationOutdated) as refused:
        confirmations.require(unlinking(LOSS).confirmation, now)

    assert problems.of(refused.value).status == 412
    assert refused.value.facts["confirmation"] == now.confirmation


def test_what_is_no_confirmation_at_all_confirms_nothing() -> None:
    with pytest.raises(ConfirmationOutdated):
        confirmations.require("\u00fc" * 64, unlinking(LOSS))
