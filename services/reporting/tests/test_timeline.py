"""What happened to a customer is shown newest first, and to nobody else's partner."""

from datetime import timedelta

from told_to_reporting import NOW, PLACE, a_customer

from chassis.consumers import Event
from chassis.database import Transaction
from chassis.http.lists import Wanted
from chassis_testing.database import as_stranger, reading
from chassis_testing.told import an_envelope
from contracts.customers.customers import CustomerState, CustomerTagged
from reporting import timeline


async def happens(tx: Transaction, customer: CustomerState, days: int) -> None:
    fact = CustomerTagged(added=["vip"], removed=[])
    about = {"subject": customer.id, "partner_id": tx.partner_id, "customer_id": customer.id}
    said = an_envelope(fact, version=days, at=NOW, effective_time=NOW + timedelta(days=days), **about)
    await timeline.note(tx, Event(envelope=said, record=fact, place=PLACE))


async def test_it_is_newest_first_one_customers_and_no_other_partners(tx: Transaction) -> None:
    customer, other = a_customer(tx.partner_id), a_customer(tx.partner_id)
    for whose, days in ((customer, 1), (other, 2), (customer, 3)):
        await happens(tx, whose, days)

    moments = (await timeline.page(await reading(tx), customer.id, Wanted())).items
    async with as_stranger(tx) as stranger:
        strangers = (await timeline.page(await reading(stranger), customer.id, Wanted())).items

    assert [(one.topic, (one.at - NOW).days) for one in moments] == [("customer.tagged", 3), ("customer.tagged", 1)]
    assert strangers == []
