"""The totals count the customers that the list shows, and nothing else."""

from datetime import timedelta

from told_to_reporting import a_customer, a_subscription, tell

from chassis.database import Transaction
from chassis_testing.database import as_stranger, reading
from reporting import customer_totals
from reporting.customer_totals import ByManagementTypeView, SubscriptionCountsView


async def test_customers_are_counted_by_type_and_subscriptions_by_trial_and_paid(tx: Transaction) -> None:
    """CUS-29: customers on a trial or using a product, at a glance; a rejected or purged one counts nowhere."""
    first, second, third = (
        a_customer(tx.partner_id, management_type=kind) for kind in ("partner_managed", "partner_managed", "co_managed")
    )
    gone, refused = (a_customer(tx.partner_id, status=status) for status in ("purged", "rejected"))
    await tell(
        tx,
        *(first, second, third, gone, refused),
        a_subscription(first, ends_in=timedelta(days=1)),
        a_subscription(first, product="mail", kind="paid"),
        a_subscription(second, kind="paid"),
        a_subscription(second, status="expired"),
        *(a_subscription(one, kind="paid") for one in (gone, refused)),
    )

    totals = await customer_totals.for_partner(await reading(tx))

    assert totals.customers == 3
    assert totals.by_management_type == ByManagementTypeView(partner_managed=2, co_managed=1)
    assert totals.subscriptions == SubscriptionCountsView(trial=1, paid=2)
    assert totals.needs_attention == 1


async def test_another_partners_customers_are_not_counted(tx: Transaction) -> None:
    await tell(tx, a_customer(tx.partner_id))

    async with as_stranger(tx) as stranger:
        totals = await customer_totals.for_partner(await reading(stranger))

    assert (totals.customers, totals.needs_attention, totals.subscriptions) == (0, 0, SubscriptionCountsView(trial=0, paid=0))
