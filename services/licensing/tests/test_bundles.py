"""A customer's licences leave with it, and are the same where they are imported: nothing is given nor rated anew (BEY-15)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import select, update

from chassis.bundles import archive, portable
from chassis.bundles.archive import Bundle
from chassis.bundles.errors import BundleNotWhole, BundleTaken, BundleWithoutPart
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from chassis.due import DueRow
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis_testing.clock import FixedClock
from contracts.licensing.subscriptions import SubscriptionChanged
from licensing import conversions, provisioning
from licensing.bundles import PORTABLE
from licensing.conversions import ConvertTrial
from licensing.tables.lines import BillingLine
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import CustomerTold, a_customer, a_programme, a_trial, an_offer, asked
from licensing_testing.desk import Desk

KEY = OKPKey.generate_key("Ed25519")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def a_history(tx: Transaction) -> UUID:
    """A customer with a running trial, and one that was converted and rated, both of what was asked for at its creation."""
    await a_programme(tx)
    first, second = await an_offer(tx), await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, first.code), asked(2, second.code), asked(3, "unknown")])
    await a_customer(tx, customer_id=customer.id)
    await provisioning.follow(tx, customer.now("active", tx.now))
    of_first = select(Subscription.id).where(Subscription.partner_id == tx.partner_id, Subscription.offer == first.code)
    await conversions.convert(tx, ConvertTrial(subscription_id=(await tx.session.scalars(of_first)).one()))
    return customer.id


async def bundled(tx: Transaction, customer_id: UUID, *, whole: bool = True, services: tuple[str, ...] = ("licensing",)) -> Bundle:
    files = await portable.said(tx, PORTABLE, customer_id) if "licensing" in services else {}
    made = archive.pack(customer_id, files, KEY, services=services, whole=whole)
    return await archive.unpack(made, KeySet([KEY]), NOW, PORTABLE.reader)


async def test_what_was_exported_and_imported_is_exported_as_the_same(
    desk: Desk, another_database: DatabaseSettings, clock: FixedClock
) -> None:
    """BEY-15: ids, versions, lines and what is still to come; twice is once."""
    customer_id = await desk.set_up(a_history)
    bundle = await desk.set_up(lambda tx: bundled(tx, customer_id))
    there = WorkerDatabase(another_database, clock)
    partner_id = new_id()

    async with there.work() as work, work.item(partner_id) as tx:
        first = await portable.take_in(tx, PORTABLE, bundle)
        told = [one.record for one in tx.told]
    async with there.work() as work, work.item(partner_id) as tx:
        second = await portable.take_in(tx, PORTABLE, bundle)
        again = await bundled(tx, customer_id)
        kinds = (await tx.session.scalars(select(DueRow.kind).where(DueRow.partner_id == tx.partner_id).order_by(DueRow.kind))).all()
        nothing = [one.record for one in tx.told]
    await there.close()

    assert again.manifest.files == bundle.manifest.files
    assert {name: said.rows for name, said in bundle.manifest.files.items()} == {
        "licensing/subscriptions.jsonl": 2,
        "licensing/subscription_moments.jsonl": 3,
        "licensing/provisionings.jsonl": 3,
        "licensing/lines.jsonl": 1,
        "licensing/terms.jsonl": 0,
    }
    assert (first, second, nothing) == (True, False, [])
    assert all(isinstance(one, SubscriptionChanged) and one.facts == [] for one in told)
    assert len(told) == 2
    assert set(kinds) == {"trial.end", "trial.notice"}


async def test_a_customer_whose_products_were_settled_elsewhere_is_given_none(tx: Transaction) -> None:
    """BEY-15: whichever service imports its part first."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)], products_settled=True)

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.told == []


async def test_what_is_here_otherwise_is_refused_and_nothing_of_the_part_is_taken(desk: Desk) -> None:
    customer_id = await desk.set_up(a_history)
    bundle = await desk.set_up(lambda tx: bundled(tx, customer_id))

    async def changed(tx: Transaction) -> None:
        await tx.session.execute(
            update(Subscription).where(Subscription.partner_id == tx.partner_id).values(seats_bought=7),
            execution_options={"synchronize_session": False},
        )
        with pytest.raises(BundleTaken) as refused:
            await portable.take_in(tx, PORTABLE, bundle)
        assert "/licensing/subscriptions.jsonl/0/id" in {one.pointer for one in refused.value.errors}
        assert len((await tx.session.scalars(select(BillingLine).where(BillingLine.partner_id == tx.partner_id))).all()) == 1

    await desk.set_up(changed)


async def test_a_bundle_that_is_not_whole_or_has_no_part_of_licensing_is_refused(desk: Desk) -> None:
    customer_id = await desk.set_up(a_history)
    left_out = await desk.set_up(lambda tx: bundled(tx, customer_id, whole=False))

    async def taken(tx: Transaction) -> None:
        with pytest.raises(BundleNotWhole):
            await portable.take_in(tx, PORTABLE, left_out)
        with pytest.raises(BundleWithoutPart):
            await bundled(tx, customer_id, services=("customers",))

    await desk.set_up(taken)


async def test_the_part_is_said_to_who_may_remove_the_customer_and_to_nobody_else(desk: Desk) -> None:
    """BEY-15: another partner's customer does not exist."""
    customer_id = await desk.knows(await desk.set_up(a_history))
    path = f"/v1/bundle-parts/licensing/{customer_id}"
    reader = await desk.newcomer(level="read", partner_id=desk.principal.partner_id)
    clerk = await desk.newcomer(permissions=[], partner_id=desk.principal.partner_id)

    said = await desk.get(path)

    assert (said.status_code, said.json()["files"]["licensing/subscriptions.jsonl"]["rows"]) == (200, 2)
    assert (await reader.get(path)).json()["code"] == "read_only_access"
    assert (await clerk.get(path)).json()["code"] == "not_allowed"
    assert (await (await desk.newcomer()).get(path)).json()["code"] == "customer_not_found"
    assert (await (await desk.portal(customer_id)).get(path)).status_code == 403


async def test_a_trial_whose_end_has_passed_meanwhile_ends_at_once(
    desk: Desk, another_database: DatabaseSettings, clock: FixedClock
) -> None:
    trial = await desk.set_up(a_trial)
    bundle = await desk.set_up(lambda tx: bundled(tx, trial.customer_id))
    clock.move(timedelta(days=90))
    there = WorkerDatabase(another_database, clock)

    async with there.work() as work, work.item(new_id()) as tx:
        await portable.take_in(tx, PORTABLE, bundle)
        planned = (await tx.session.execute(select(DueRow.kind, DueRow.due_at).where(DueRow.partner_id == tx.partner_id))).all()
        now = tx.now
    await there.close()

    assert [tuple(one) for one in planned] == [("trial.end", now)]
