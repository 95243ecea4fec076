"""What products report of devices shows with their customers, whatever the order in which reports arrive and however often.

A report about a customer that is not its partner's takes no effect, and says why.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from told_to_reporting import a_customer, a_subscription, an_endpoint, end, event_of, refuse, rejected, report, reported, take, tell

from chassis.database import Transaction, WorkerDatabase
from chassis.failures import Poison
from chassis.ids import new_id
from chassis_testing.database import as_stranger, reading
from contracts.customers.customers import CustomerState
from reporting import customer_overview, deployment_chart, endpoints
from reporting.customer_overview import OverviewRowView
from reporting.deployment_chart import DeploymentPointView, ProductDeploymentView
from reporting.endpoints import EndpointSummaryView
from reporting.rules.attention import AlertsView, AttentionView
from reporting.rules.customer_filters import Filters

ALL_OF_ONE = {
    "protection": "disabled",
    **dict.fromkeys(("agent_update_required", "definitions_update_required", "firmware_update_required"), True),
}


async def shown(tx: Transaction, **filters: Any) -> list[OverviewRowView]:
    return (await customer_overview.for_partner(await reading(tx), Filters(**filters))).items


async def names(tx: Transaction, **filters: Any) -> list[str]:
    return [row.name for row in await shown(tx, **filters)]


async def summary(tx: Transaction, customer: CustomerState) -> EndpointSummaryView:
    return await endpoints.summary(await reading(tx), customer.id)


async def everything(tx: Transaction) -> list[tuple[Any, ...]]:
    rows = [tuple(row) for row in await tx.session.execute(text("select xmin::text, * from endpoints order by id"))]
    return rows + [tuple(row) for row in await tx.session.execute(text("select xmin::text, * from customer_overview order by id"))]


async def test_the_endpoints_of_a_customer_are_summed_up_under_the_names_that_partners_know(tx: Transaction) -> None:
    """REP-13: protected, disabled, blocked, quarantined, detected, to be activated, agents and definitions to be updated."""
    customer, other = a_customer(tx.partner_id), a_customer(tx.partner_id)
    await tell(tx, customer, other)
    risky = {"risks_blocked": 4, "quarantined_items": 2, "infected_items": 1, "detections": 7}
    await report(
        tx,
        *(an_endpoint(customer), an_endpoint(customer, **ALL_OF_ONE), an_endpoint(customer, **risky)),
        an_endpoint(customer, product="mail", kind="mobile", protection="activation_required", risks_blocked=1, detections=1),
        an_endpoint(other, **ALL_OF_ONE),
    )

    whole = await summary(tx, customer)

    assert (whole.endpoints, whole.protected, whole.disabled, whole.activation_required, whole.at_risk) == (4, 2, 1, 1, 1)
    assert (whole.agent_update_required, whole.definition_update_required, whole.firmware_update_required) == (1, 1, 1)
    assert (whole.risks_blocked, whole.quarantined_items, whole.infected_items, whole.total_detections) == (5, 2, 1, 8)
    assert [(one.product, one.endpoints, one.total_detections) for one in whole.products] == [("endpoint", 3, 7), ("mail", 1, 1)]


async def test_who_has_no_endpoints_has_a_summary_of_nothing(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, customer)

    assert (await summary(tx, customer)).endpoints == 0
    assert (await shown(tx))[0].require_update == 0


async def test_the_list_says_who_needs_an_update_and_who_needs_attention_for_it(tx: Transaction) -> None:
    """CUS-30, CUS-33, CUS-34: threat, system and licensing events, each with how much it weighs; any filters combined."""
    calm, behind, at_risk, asking = (a_customer(tx.partner_id, name=name) for name in ("calm", "behind", "risky", "asking"))
    await tell(tx, calm, behind, at_risk, asking, a_subscription(calm))
    await report(
        tx,
        an_endpoint(calm),
        *(an_endpoint(behind, agent_update_required=True) for _ in range(3)),
        an_endpoint(at_risk, infected_items=1, agent_update_required=True),
    )
    await refuse(tx, rejected(asking))

    rows = {row.name: row for row in await shown(tx)}

    assert {name: row.require_update for name, row in rows.items()} == {"calm": 0, "behind": 3, "risky": 1, "asking": 0}
    assert rows["risky"].attention == [
        AttentionView(reason="endpoints_at_risk", concern="threat", severity="critical", count=1),
        AttentionView(reason="agent_updates", concern="system", severity="warning", count=1),
    ]
    assert (rows["risky"].alerts, rows["calm"].alerts) == (AlertsView(1, 1), AlertsView(0, 0))
    assert [(one.reason, one.concern, one.offer) for one in rows["asking"].attention] == [
        ("provisioning_rejected", "licensing", "endpoint-cloud")
    ]
    assert await names(tx, alerts="critical") == ["risky"]
    assert await names(tx, alerts="warning") == ["asking", "behind", "risky"]
    assert await names(tx, require_update=True) == ["behind", "risky"]
    assert await names(tx, require_update=True, alerts="critical", management_types=["partner_managed"]) == ["risky"]
    assert await names(tx, require_update=False) == ["asking", "calm"]


async def test_once_the_agent_is_new_the_customer_leaves_the_filter(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    computer = an_endpoint(customer, agent_update_required=True)
    await tell(tx, customer)
    await report(tx, computer)

    await report(tx, computer.model_copy(update={"agent_update_required": False, "agent_version": "15.0"}), version=2)

    assert await shown(tx, require_update=True) == []
    assert not (await shown(tx))[0].needs_attention


async def test_a_product_that_is_given_after_all_needs_no_attention(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, customer)
    await refuse(tx, rejected(customer))
    assert (await shown(tx))[0].needs_attention

    await tell(tx, a_subscription(customer))

    assert not (await shown(tx))[0].needs_attention


async def test_reports_that_come_twice_or_late_change_nothing(tx: Transaction) -> None:
    """BEY-02."""
    customer = a_customer(tx.partner_id)
    computer = an_endpoint(customer, agent_update_required=True)
    await tell(tx, customer)
    await report(tx, computer, version=5)
    before = await everything(tx)

    await report(tx, computer, version=5)
    await report(tx, computer.model_copy(update={"agent_update_required": False}), version=4)

    assert await everything(tx) == before


async def test_a_device_that_its_product_knows_no_longer_leaves_and_does_not_come_back_by_an_old_report(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    computer = an_endpoint(customer, agent_update_required=True)
    await tell(tx, customer)
    await report(tx, computer)

    await report(tx, computer.model_copy(update={"deleted": True}), version=3)
    await report(tx, computer, version=2)

    assert (await summary(tx, customer)).endpoints == 0
    assert (await shown(tx))[0].require_update == 0
    assert (await tx.session.execute(text("select name from endpoints"))).scalar_one() is None


async def test_another_partners_endpoints_do_not_exist(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, customer)
    await report(tx, an_endpoint(customer, agent_update_required=True))

    async with as_stranger(tx) as stranger:
        assert (await summary(stranger, customer)).endpoints == 0
        assert (await deployment_chart.of_customer(await reading(stranger), customer.id, "24_hours")).deployed == 0
        assert (await stranger.session.execute(text("select count(*) from endpoints"))).scalar_one() == 0


async def test_a_report_of_nobodys_customer_or_under_a_partner_that_never_had_it_takes_no_effect(worker_database: WorkerDatabase) -> None:
    partner, foreign = new_id(), new_id()
    customer, unknown = a_customer(partner), a_customer(partner)
    await told(worker_database, event_of(customer), event_of(a_customer(foreign)))

    with pytest.raises(Poison, match=f"customer {customer.id} was never partner {foreign}'s"):
        await told(worker_database, reported(an_endpoint(customer), foreign))
    with pytest.raises(Poison, match=f"customer {unknown.id} is not known here"):
        await told(worker_database, reported(an_endpoint(unknown), partner))

    assert await homes_of_endpoints(worker_database) == []


async def test_two_customers_devices_of_one_id_are_two_devices(worker_database: WorkerDatabase) -> None:
    """A connector that mistakes one customer for another cannot take its device away."""
    one, two = a_customer(new_id()), a_customer(new_id())
    device = an_endpoint(one)
    await told(worker_database, event_of(one), event_of(two), reported(device, one.partner_id))

    await told(worker_database, reported(device.model_copy(update={"customer_id": two.id}), two.partner_id, version=9))

    assert sorted(await homes_of_endpoints(worker_database)) == sorted([one.partner_id, two.partner_id])


async def test_endpoints_change_hands_with_their_customer_and_a_report_of_before_still_counts(worker_database: WorkerDatabase) -> None:
    """MKT-02: whichever comes first, the move or the connector that has not heard of it."""
    old, new = new_id(), new_id()
    customer = a_customer(old)
    first, late = an_endpoint(customer), an_endpoint(customer, agent_update_required=True)
    await told(worker_database, event_of(customer), reported(first, old))

    await told(worker_database, event_of(a_customer(new, id=customer.id), version=2))
    await told(worker_database, reported(late, old), reported(first, new, version=2))

    assert await homes_of_endpoints(worker_database) == [new, new]
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select agent_updates from customer_overview where partner_id = $1", new) == 1


async def test_what_was_reported_of_a_customer_ends_with_it(tx: Transaction) -> None:
    customer, other = a_customer(tx.partner_id), a_customer(tx.partner_id)
    await tell(tx, customer, other)
    await report(tx, an_endpoint(customer), an_endpoint(other))
    await refuse(tx, rejected(customer))

    await end(tx, customer)

    assert [row.customer_id for row in await tx.session.execute(text("select customer_id from endpoints"))] == [other.id]
    assert (await tx.session.execute(text("select count(*) from provisioning_rejections"))).scalar_one() == 0


async def test_the_chart_shows_when_each_product_came_onto_how_many_devices(tx: Transaction) -> None:
    """CUS-38, REP-06, REP-07: within the window that is asked for, up to now; a device without a date counts in the whole alone."""
    customer = a_customer(tx.partner_id)
    await tell(tx, customer)
    now = (await reading(tx)).now
    for hours in (1, 1.2, 3 * 24, 20 * 24, 80 * 24):
        await report(tx, an_endpoint(customer, deployed_at=now - timedelta(hours=hours)))
    await report(
        tx,
        *(an_endpoint(customer, product="mail"), an_endpoint(customer, deleted=True, deployed_at=now)),
        an_endpoint(customer, deployed_at=now + timedelta(hours=1)),
    )

    day = await deployment_chart.of_customer(await reading(tx), customer.id, "24_hours")
    others = [await deployment_chart.of_customer(await reading(tx), customer.id, window) for window in ("7_days", "30_days", "3_months")]

    assert (day.deployed, day.deployed_in_window, day.step_seconds) == (7, 2, 3600)
    assert day.products == [ProductDeploymentView("endpoint", 6, 2), ProductDeploymentView("mail", 1, 0)]
    assert sum(point.deployed for point in day.points) == 2
    assert all(isinstance(point, DeploymentPointView) and day.since <= point.at <= day.until for point in day.points)
    assert [chart.deployed_in_window for chart in others] == [3, 4, 5]


async def told(database: WorkerDatabase, *events: Any) -> None:
    async with database.work() as work:
        await take(work, events)


async def homes_of_endpoints(database: WorkerDatabase) -> list[UUID]:
    async with database.direct() as connection:
        return [row[0] for row in await connection.fetch("select partner_id from endpoints")]
