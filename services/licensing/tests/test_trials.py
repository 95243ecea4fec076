"""A trial runs as its pinned policy says, and ends on its own (LIC-01, LIC-02, C-1)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from chassis.database import Transaction
from chassis.due import DueItem, DueRow
from chassis.ids import new_id
from chassis_testing.database import as_stranger
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.offers import TrialPolicy
from contracts.licensing.subscriptions import (
    SubscriptionActivated,
    SubscriptionChanged,
    TrialConverted,
    TrialEnding,
    TrialExpired,
    TrialPaused,
)
from licensing import trials
from licensing.rules import trial_clock
from licensing.rules.capabilities import Cell
from licensing.tables.customers import eulas
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import SYMANTEC, a_matrix, a_programme, a_trial, an_offer, as_operator


def _due(subscription: Subscription, slot: str = "end") -> DueItem:
    assert subscription.trial_ends_at is not None
    return DueItem(id=new_id(), subject=subscription.id, slot=slot, due_at=subscription.trial_ends_at, attempts=0, payload={})


async def test_a_trial_ends_after_sixty_whole_days_at_midnight_where_the_customer_is(tx: Transaction) -> None:
    """LIC-01, C-1: the first day counts, daylight saving does not; vector V13's rule."""
    subscription = await a_trial(tx)

    assert subscription.trial_ends_at == datetime(2026, 3, 5, 23, 0, tzinfo=UTC)
    assert subscription.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("America/New_York", datetime(2026, 3, 6, 5, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 3, 5, 11, 0, tzinfo=UTC)),
        ("UTC", datetime(2026, 3, 6, 0, 0, tzinfo=UTC)),
    ],
)
def test_local_days_are_counted_in_the_customers_zone(zone: str, ends: datetime) -> None:
    policy = TrialPolicy.model_validate(SYMANTEC)

    assert trial_clock.ends_at(policy, datetime(2026, 1, 5, 9, tzinfo=UTC), ZoneInfo(zone)) == ends


def test_a_trial_by_the_instant_ends_to_the_second() -> None:
    """C-1: ``trial_clock: instant``."""
    policy = TrialPolicy.model_validate({**SYMANTEC, "duration": "P30D", "clock": "instant"})
    started = datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC)

    assert trial_clock.ends_at(policy, started, ZoneInfo("Asia/Tokyo")) == datetime(2026, 2, 4, 9, 30, 15, tzinfo=UTC)


async def test_the_policy_is_pinned_so_that_a_later_edit_moves_no_running_trial(tx: Transaction) -> None:
    """C-1: the policy is copied into the subscription at start."""
    offer = await an_offer(tx)
    subscription = await a_trial(tx, offer=offer)

    async with as_operator(tx):
        offer.trial = {**SYMANTEC, "duration": "P7D", "end_behavior": "pause"}
    await trials.end(tx, _due(subscription))

    assert subscription.trial_policy == SYMANTEC
    assert subscription.status == "expired"


async def test_its_end_and_every_announcement_of_it_are_planned(tx: Transaction) -> None:
    subscription = await a_trial(tx)

    planned = (await tx.session.execute(select(DueRow.kind, DueRow.slot).where(DueRow.subject == subscription.id))).all()

    assert set(planned) == {("trial.end", "end"), ("trial.notice", "P30D"), ("trial.notice", "P7D"), ("trial.notice", "P1D")}


async def test_an_announcement_that_would_lie_in_the_past_is_not_planned(tx: Transaction) -> None:
    subscription = await a_trial(tx, offer=await an_offer(tx, trial={**SYMANTEC, "duration": "P5D"}))

    slots = (await tx.session.execute(select(DueRow.slot).where(DueRow.subject == subscription.id))).scalars().all()

    assert set(slots) == {"end", "P1D"}


async def test_the_partner_is_told_that_the_end_is_near(tx: Transaction) -> None:
    subscription = await a_trial(tx)

    await trials.announce(tx, _due(subscription, "P7D"))

    assert [type(one.record) for one in tx.told] == [TrialEnding, SubscriptionChanged]


async def test_a_trial_that_expires_can_be_used_no_longer(tx: Transaction) -> None:
    """LIC-01: at day 60 the trial ends."""
    subscription = await a_trial(tx)

    await trials.end(tx, _due(subscription))

    assert subscription.status == "expired"
    assert tx.facts_told == [TrialExpired]


async def test_an_end_that_comes_twice_happens_once(tx: Transaction) -> None:
    subscription = await a_trial(tx)

    await trials.end(tx, _due(subscription))
    await trials.end(tx, _due(subscription))

    assert tx.facts_told == [TrialExpired]


async def test_a_trial_that_pauses_waits_for_its_conversion(tx: Transaction) -> None:
    """C-1: ``end_behavior: pause``."""
    subscription = await a_trial(tx, offer=await an_offer(tx, trial={**SYMANTEC, "end_behavior": "pause"}))

    await trials.end(tx, _due(subscription))

    assert subscription.status == "paused"
    assert tx.facts_told == [TrialPaused]


async def test_a_trial_converts_by_itself_when_all_that_it_requires_holds(tx: Transaction) -> None:
    """C-1: ``end_behavior: convert`` with ``convert_requires: [programme_active, eula]``."""
    await a_programme(tx)
    subscription = await a_trial(tx, offer=await an_offer(tx, trial=_converting()))
    await _accept_terms(tx, subscription)
    tx.told.clear()

    await trials.end(tx, _due(subscription))

    assert subscription.status == "active"
    assert tx.facts_told == [TrialConverted, SubscriptionActivated, BillingLineRated]


@pytest.mark.parametrize("missing", ["programme_active", "eula"])
async def test_a_trial_whose_requirements_do_not_hold_expires_instead(tx: Transaction, missing: str) -> None:
    """C-1."""
    if missing != "programme_active":
        await a_programme(tx)
    subscription = await a_trial(tx, offer=await an_offer(tx, trial=_converting()))
    if missing != "eula":
        await _accept_terms(tx, subscription)
    tx.told.clear()

    await trials.end(tx, _due(subscription))

    assert tx.facts_told == [TrialExpired]


async def test_a_plain_resellers_trial_expires_where_converting_needs_the_programme(tx: Transaction) -> None:
    """C-7, CUS-17: the text's reading, as it is shipped, holds for a trial that would convert by itself too; no line is rated."""
    subscription = await a_trial(tx, offer=await an_offer(tx, trial=_converting("eula")))
    await _accept_terms(tx, subscription)

    await trials.end(tx, _due(subscription))

    assert subscription.status == "expired"
    assert tx.facts_told == [TrialExpired]


async def test_a_plain_resellers_trial_converts_by_the_tables_reading(tx: Transaction) -> None:
    """C-7: the matrix lets every partner convert, and the trial's own policy asks for no programme."""
    await a_matrix(tx, convert_trial="yes")
    subscription = await a_trial(tx, offer=await an_offer(tx, trial=_converting("eula")))
    await _accept_terms(tx, subscription)

    await trials.end(tx, _due(subscription))

    assert tx.facts_told == [TrialConverted, SubscriptionActivated, BillingLineRated]


@pytest.mark.parametrize(("cell", "requires"), [("yes", ("programme_active", "eula")), ("product_serial", ("eula",))])
async def test_by_the_tables_reading_too_a_trial_expires_that_asks_for_more(tx: Transaction, cell: Cell, requires: tuple[str, ...]) -> None:
    """C-1, C-7, LIC-10: for a programme that there is not, or for a serial number that nobody is there to name."""
    await a_matrix(tx, convert_trial=cell)
    subscription = await a_trial(tx, offer=await an_offer(tx, trial=_converting(*requires)))
    await _accept_terms(tx, subscription)

    await trials.end(tx, _due(subscription))

    assert tx.facts_told == [TrialExpired]


async def test_another_partner_cannot_end_it(tx: Transaction) -> None:
    subscription = await a_trial(tx)

    async with as_stranger(tx) as stranger:
        await trials.end(stranger, _due(subscription))
        assert stranger.told == []


def _converting(*requires: str) -> dict[str, object]:
    return {**SYMANTEC, "end_behavior": "convert", "convert_requires": list(requires or ("programme_active", "eula"))}


async def _accept_terms(tx: Transaction, subscription: Subscription) -> None:
    accepted = {"partner_id": tx.partner_id, "id": new_id(), "customer_id": subscription.customer_id, "eula_version": "1"}
    await tx.session.execute(insert(eulas).values(**accepted, accepted_at=tx.now))
