"""What needs attention, and how much, is the policy's to say: the list, its filters and its totals follow the version in force."""

from datetime import timedelta
from typing import Any

from told_to_reporting import a_customer, a_subscription, an_endpoint, event_of, reported, take

from chassis.database import ApiDatabase, Read, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from reporting import customer_overview, customer_totals
from reporting.rules import policies
from reporting.rules.attention_policy import AttentionPolicy, Weight
from reporting.rules.customer_filters import Filters


async def names(read: Read, **filters: Any) -> list[str]:
    return [row.name for row in (await customer_overview.for_partner(read, Filters(**filters))).items]


async def test_another_version_of_the_policy_weighs_otherwise(worker_database: WorkerDatabase, api_database: ApiDatabase) -> None:
    """CUS-30, BEY-04: from how many endpoints on, how much it weighs, how long before; and what never counts."""
    partner = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    one, three, ending = (a_customer(partner.partner_id, name=name) for name in ("one", "three", "ending"))
    behind = [reported(an_endpoint(whose, agent_update_required=True), partner.partner_id) for whose in (one, three, three, three)]
    sick = reported(an_endpoint(one, infected_items=1), partner.partner_id)
    soon = event_of(a_subscription(ending, ends_in=timedelta(days=20)))
    async with worker_database.work() as work:
        await take(work, [event_of(one), event_of(three), event_of(ending), *behind, sick, soon])
    async with api_database.read(partner) as read:
        assert await names(read, alerts="critical") == ["one"]
        assert await names(read, attention=True) == ["one", "three"]

    mine = AttentionPolicy(
        trial_ends_within=timedelta(days=30),
        rejections_count_for=timedelta(days=1),
        reasons={"agent_updates": Weight(severity="critical", at_least=3), "trial_ends_soon": Weight(severity="warning")},
    )
    async with worker_database.work() as work, work.item(partner.partner_id) as tx:
        await policies.documents.add(tx, mine, 2)

    async with api_database.read(partner) as read:
        assert await names(read, alerts="critical") == ["three"]
        assert await names(read, alerts="warning") == ["ending", "three"]
        assert await names(read, attention=False) == ["one"]
        assert (await customer_totals.for_partner(read)).needs_attention == 2
