"""Customers whose appliances require a firmware update are told to fetch it, nobody else, until it is done (CUS-67, NOT-17)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import Transaction, Work, WorkerDatabase
from chassis.http.lists import Wanted
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.database import as_stranger, reading
from contracts.licensing.firmware import FirmwareUpdateFinished, FirmwareUpdateRequested
from licensing.errors import CustomerNotServed
from licensing.errors.product_settings import NotOffered, NotSupported, ProductNotHeld, UpdateNotRequired, UpdateUnderWay
from licensing.product_settings import acknowledging, firmware
from licensing.product_settings.firmware import RequestUpdate
from licensing.tables.firmware import Appliance
from licensing_testing.builders import ApplianceTold, a_customer, a_holder, a_product, acknowledged

OLD: dict[str, Any] = {"firmware_version": "6.1", "firmware_update_required": True}
NEW: dict[str, Any] = {"firmware_version": "6.2", "firmware_update_required": False}


def asking(customer_id: UUID) -> RequestUpdate:
    return RequestUpdate(customer_id=customer_id, product="cloud-edge", job_id=new_id())


async def an_appliance(tx: Transaction, customer_id: UUID, **said: Any) -> ApplianceTold:
    appliance = ApplianceTold(partner_id=tx.partner_id, customer_id=customer_id)
    await firmware.follow(tx, appliance.now(tx.now, **said))
    return appliance


@pytest.fixture
async def customer(tx: Transaction) -> UUID:
    await a_product(tx, "cloud-edge", templates=False)
    return await a_holder(tx, product="cloud-edge")


async def test_a_customer_that_requires_an_update_is_told_once_and_until_none_is_required(tx: Transaction, customer: UUID) -> None:
    """CUS-67: how many and which appliances; over when the last of them is up to date."""
    first, second = await an_appliance(tx, customer, **OLD), await an_appliance(tx, customer, **OLD)
    await an_appliance(tx, customer, **NEW)

    update = await firmware.request(tx, asking(customer))
    with pytest.raises(UpdateUnderWay):
        await firmware.request(tx, asking(customer))
    await firmware.follow(tx, first.now(tx.now, **NEW))
    assert update.status == "requested"
    await firmware.follow(tx, second.now(tx.now, **NEW))

    requested, finished = tx.told
    assert requested.record == FirmwareUpdateRequested(
        product="cloud-edge", product_name="Worry-Free", appliances=2, endpoint_ids=sorted([first.id, second.id])
    )
    assert finished.record == FirmwareUpdateFinished(product="cloud-edge", outcome="updated", requested_at=tx.now)
    assert [(one.about.id, one.about.version) for one in tx.told] == [(update.id, 1), (update.id, 2)]
    assert update.status == "updated"


async def test_who_requires_none_is_not_told(tx: Transaction, customer: UUID) -> None:
    """CUS-67, NOT-17: nothing is told of it, so nobody is mailed."""
    await an_appliance(tx, customer, **NEW)
    other = await a_customer(tx)
    await an_appliance(tx, other, **OLD)

    with pytest.raises(UpdateNotRequired):
        await firmware.request(tx, asking(customer))

    assert tx.told == []


async def test_an_appliance_that_is_gone_requires_nothing(tx: Transaction, customer: UUID) -> None:
    """CUS-67."""
    appliance = await an_appliance(tx, customer, **OLD)
    update = await firmware.request(tx, asking(customer))

    await firmware.follow(tx, appliance.now(tx.now, deleted=True))

    assert update.status == "updated"
    assert (await tx.session.scalars(select(Appliance).where(Appliance.partner_id == tx.partner_id))).all() == []


async def test_an_older_report_changes_nothing(tx: Transaction, customer: UUID) -> None:
    appliance = ApplianceTold(partner_id=tx.partner_id, customer_id=customer)
    older, newer = appliance.now(tx.now, **NEW), appliance.now(tx.now, **OLD)

    for event in (newer, older):
        await firmware.follow(tx, event)

    (kept,) = await tx.session.scalars(select(Appliance).where(Appliance.partner_id == tx.partner_id))
    assert (kept.version, kept.update_required, kept.firmware_version) == (2, True, "6.1")


async def test_no_report_takes_another_customers_appliance_away(tx: Transaction, customer: UUID) -> None:
    """CUS-67: two connectors may use one id, and one may be mistaken."""
    appliance = await an_appliance(tx, customer, **OLD)
    other = ApplianceTold(partner_id=tx.partner_id, customer_id=await a_customer(tx), id=appliance.id, version=7)

    await firmware.follow(tx, other.now(tx.now, **NEW))
    await firmware.follow(tx, other.now(tx.now, deleted=True))

    (kept,) = await tx.session.scalars(select(Appliance).where(Appliance.partner_id == tx.partner_id))
    assert (kept.customer_id, kept.update_required) == (customer, True)


async def test_computers_are_no_appliances(work: Work, clock: FixedClock) -> None:
    async with work.item(new_id()) as tx:
        computer = ApplianceTold(partner_id=tx.partner_id, customer_id=await a_customer(tx))

    await firmware.APPLIANCES.apply(work, [computer.now(clock.now(), **OLD, kind="computer")])

    kept = await work.session.scalars(select(Appliance.id), execution_options={"across_partners": "there is none"})
    assert kept.all() == []


async def test_what_is_reported_of_nobodys_customer_is_not_kept(work: Work, clock: FixedClock) -> None:
    """One that is purged, say: nothing of it comes back."""
    appliance = ApplianceTold(partner_id=new_id(), customer_id=new_id())

    await firmware.APPLIANCES.apply(work, [appliance.now(clock.now(), **OLD)])

    kept = await work.session.scalars(select(Appliance.id), execution_options={"across_partners": "there is none"})
    assert kept.all() == []


async def test_an_update_that_the_product_could_not_make_has_failed_and_may_be_asked_for_again(tx: Transaction, customer: UUID) -> None:
    """CUS-67: that the product has taken the request is no update yet."""
    await an_appliance(tx, customer, **OLD)
    update = await firmware.request(tx, asking(customer))

    await acknowledging.note(tx, acknowledged(update, tx.now))
    assert update.status == "requested"
    await acknowledging.note(tx, acknowledged(update, tx.now, outcome="failed", detail="No licence for it."))

    assert (update.status, update.detail) == ("failed", "No licence for it.")
    again = await firmware.request(tx, asking(customer))
    assert again.status == "requested"
    assert tx.facts_told == [FirmwareUpdateRequested, FirmwareUpdateFinished, FirmwareUpdateRequested]


@pytest.mark.parametrize(
    ("given", "refused", "rule"),
    [
        ({"status": "disabled"}, CustomerNotServed, "CUS-67"),
        ({"account_type": "licensing_portal"}, NotOffered, "CUS-64"),
        ({"management_type": "customer_managed"}, NotOffered, "CUS-51"),
        ({}, ProductNotHeld, "CUS-67"),
    ],
)
async def test_an_update_is_asked_for_only_where_that_is_offered(
    tx: Transaction, customer: UUID, given: dict[str, Any], refused: type[Any], rule: str
) -> None:
    """CUS-67, CUS-64, CUS-51."""
    with pytest.raises(refused) as problem:
        await firmware.request(tx, asking(await a_customer(tx, **given)))

    assert (problem.value.rule, tx.told) == (rule, [])


async def test_a_product_without_firmware_is_not_updated(tx: Transaction) -> None:
    """CUS-67: only products that support it."""
    await a_product(tx, "cloud-edge", firmware=False)

    with pytest.raises(NotSupported) as problem:
        await firmware.request(tx, asking(await a_holder(tx, product="cloud-edge")))

    assert (problem.value.code, problem.value.rule) == ("settings_not_supported", "CUS-67")


async def test_another_partners_updates_do_not_exist(tx: Transaction, customer: UUID) -> None:
    await an_appliance(tx, customer, **OLD)
    await firmware.request(tx, asking(customer))

    async with as_stranger(tx) as stranger:
        assert (await firmware.page(await reading(stranger), Wanted())).items == []


async def test_an_update_asked_for_in_the_moment_of_the_last_report_is_refused_or_finished(
    worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """CUS-67: twenty times over, none is left open that nobody requires."""
    partner_id = new_id()

    async def ready() -> ApplianceTold:
        async with worker_database.work() as work, work.item(partner_id) as tx:
            return await an_appliance(tx, await a_holder(tx, product="cloud-edge"), **OLD)

    async def ask(appliance: ApplianceTold) -> None:
        try:
            async with worker_database.work() as work, work.item(partner_id) as tx:
                await firmware.request(tx, asking(appliance.customer_id))
        except UpdateNotRequired:
            return

    async def report(appliance: ApplianceTold) -> None:
        async with worker_database.work() as work, work.item(partner_id) as tx:
            await firmware.follow(tx, appliance.now(clock.now(), **NEW))

    async with worker_database.work() as work, work.item(partner_id) as tx:
        await a_product(tx, "cloud-edge", templates=False)
    for number in range(20):
        appliance = await ready()
        first, second = (ask, report) if number % 2 else (report, ask)
        await asyncio.gather(first(appliance), second(appliance))

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from firmware_updates where status = 'requested'") == 0


async def test_the_customers_partner_of_now_is_told_whoever_the_report_names(work: Work, clock: FixedClock) -> None:
    """MKT-02: a connector may not know yet that the customer has moved, and may be mistaken, also about a sandbox."""
    now = new_id()
    async with work.item(now) as tx:
        await a_product(tx, "cloud-edge", templates=False)
        customer = await a_holder(tx, product="cloud-edge")
    appliance = ApplianceTold(partner_id=new_id(), customer_id=customer)
    await firmware.APPLIANCES.apply(work, [appliance.now(clock.now(), **OLD)])
    async with work.item(now) as tx:
        await firmware.request(tx, asking(customer))

    await firmware.APPLIANCES.apply(work, [appliance.now(clock.now(), **NEW)])

    finished = work._told[-1]
    assert (type(finished.record), finished.envelope.partner_id) == (FirmwareUpdateFinished, now)
