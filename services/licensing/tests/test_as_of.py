"""What a customer could use at a past moment is what was answered then, whatever has happened since (BEY-12)."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.due import DueItem
from chassis.erasing import Gone
from chassis.ids import new_id
from licensing import conversions, programmes, trials
from licensing.conversions import ConvertTrial
from licensing.offboarding import erasing
from licensing.programmes import EndProgramme
from licensing.rules import cancelling
from licensing.rules.telling import tell_subscription
from licensing.tables.subscription_moments import SubscriptionMoment
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import MONTHLY, SYMANTEC, a_customer, a_matrix, a_programme, a_trial, an_offer
from licensing_testing.desk import Desk


def path(customer_id: UUID) -> str:
    return f"/v1/customers/{customer_id}/entitlements"


async def held(tx: Transaction, subscription_id: UUID) -> Subscription:
    found = select(Subscription).where(Subscription.partner_id == tx.partner_id, Subscription.id == subscription_id)
    return (await tx.session.scalars(found.with_for_update(), execution_options={"populate_existing": True})).one()


class History:
    """Things that happen to one customer's subscriptions, chosen by chance."""

    def __init__(self, desk: Desk, customer_id: UUID, chance: random.Random) -> None:
        self.desk, self.customer_id, self.chance = desk, customer_id, chance
        self.ids: list[UUID] = []

    async def go_on(self) -> None:
        doing = self.chance.choice([self.start, self.convert, self.cancel, self.end, self.use])
        await self.desk.set_up(doing)

    async def start(self, tx: Transaction) -> None:
        behaviour = self.chance.choice(["expire", "pause"])
        offer = await an_offer(tx, trial=SYMANTEC | {"end_behavior": behaviour}, price=MONTHLY)
        self.ids.append((await a_trial(tx, offer=offer, customer_id=self.customer_id, seats=self.chance.randint(1, 50))).id)

    async def convert(self, tx: Transaction) -> None:
        one = await self.some(tx, "trial", "paused")
        if one is not None:
            await conversions.convert(tx, ConvertTrial(subscription_id=one.id, quantity=one.seats_bought + self.chance.randint(0, 9)))

    async def cancel(self, tx: Transaction) -> None:
        one = await self.some(tx, "active", "trial")
        if one is not None:
            fact = await cancelling.cancel(tx, one, self.chance.choice(["now", "period_end"]), "partner")
            await tell_subscription(tx, one, fact)

    async def end(self, tx: Transaction) -> None:
        one = await self.some(tx, "trial")
        if one is not None:
            await trials.end(tx, DueItem(id=new_id(), subject=one.id, slot="end", due_at=tx.now, attempts=0, payload={}))

    async def use(self, tx: Transaction) -> None:
        one = await self.some(tx, "active", "trial")
        if one is not None:
            one.seats_used = self.chance.randint(0, one.seats_bought)
            await tell_subscription(tx, one)

    async def some(self, tx: Transaction, *statuses: str) -> Subscription | None:
        found = [await held(tx, one) for one in self.ids]
        standing = [one for one in found if one.status in statuses]
        return self.chance.choice(standing) if standing else None


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_each_past_moment_is_answered_as_it_was_then(desk: Desk, seed: int) -> None:
    """BEY-12: over a random history of trials, conversions, cancellations and use, for the partner and for the customer's own users."""
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    await desk.set_up(a_programme)
    customer_id = await desk.knows(await desk.set_up(a_customer))
    portal, history = await desk.portal(customer_id), History(desk, customer_id, chance)
    answered: dict[datetime, list[Any]] = {}

    for _ in range(30):
        await history.go_on()
        answered[desk.clock.now()] = [(await who.get(path(customer_id))).json()["items"] for who in (desk, portal)]
        desk.clock.move(timedelta(hours=chance.randint(1, 24 * 20), seconds=chance.randint(0, 59)))

    assert len({str(one) for one in answered.values()}) > 10
    for moment, then in answered.items():
        again = [(await who.get(path(customer_id), as_of=moment.isoformat())).json() for who in (desk, portal)]
        assert [one["items"] for one in again] == then
        assert datetime.fromisoformat(again[0]["as_of"]) == moment


async def test_what_could_be_done_then_is_by_the_programme_and_the_policy_of_then(desk: Desk) -> None:
    """BEY-12, LIC-06: actions too are as they were."""
    programme = await desk.set_up(a_programme)
    trial = await desk.set_up(a_trial)
    await desk.knows(trial.customer_id)
    first, then = (await desk.get(path(trial.customer_id))).json()["items"], desk.clock.now()
    desk.clock.move(timedelta(days=1))
    await desk.set_up(lambda tx: programmes.end(tx, EndProgramme(programme_id=programme.id, reason="partner_asked")))
    await desk.set_up(lambda tx: a_matrix(tx, convert_trial="no"))

    now = (await desk.get(path(trial.customer_id))).json()["items"]

    assert (now[0]["actions"][0]["allowed"], now[0]["actions"][0]["policy_version"]) == (False, "2")
    assert (await desk.get(path(trial.customer_id), as_of=then.isoformat())).json()["items"] == first


async def test_before_anything_began_there_was_nothing_and_the_future_is_refused(desk: Desk) -> None:
    trial = await desk.set_up(a_trial)
    await desk.knows(trial.customer_id)
    before, later = desk.clock.now() - timedelta(seconds=1), desk.clock.now() + timedelta(seconds=1)

    assert (await desk.get(path(trial.customer_id), as_of=before.isoformat())).json()["items"] == []
    refused = await desk.get(path(trial.customer_id), as_of=later.isoformat())
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (422, "not_yet", "BEY-12")
    assert (await desk.get(path(trial.customer_id), as_of="2026-01-01T00:00:00")).status_code == 422


async def test_the_past_is_as_much_its_partners_alone_as_the_present(desk: Desk) -> None:
    """BEY-12: another partner's does not exist, and nothing is left of a purged customer."""
    trial = await desk.set_up(a_trial)
    await desk.knows(trial.customer_id)
    then = desk.clock.now().isoformat()

    assert (await (await desk.newcomer()).get(path(trial.customer_id), as_of=then)).json()["code"] == "customer_not_found"

    async def purged(tx: Transaction) -> int:
        await erasing._forget(tx, Gone(customer_id=trial.customer_id, user_ids=[]))
        return len((await tx.session.scalars(select(SubscriptionMoment).where(SubscriptionMoment.partner_id == tx.partner_id))).all())

    assert await desk.set_up(purged) == 0
    assert (await desk.get(path(trial.customer_id), as_of=then)).json()["items"] == []
