"""Tags select customers; a change of them is told before everything else, because roles select by them too (MKT-01)."""

from chassis.database import Transaction
from chassis.database.outbox import Lane
from chassis.http.etags import Seen
from contracts.customers.customers import CustomerTagged
from customers import tagging
from customers.tables.customers import Customer
from customers.tagging import TagCustomer
from customers_testing.builders import a_customer, a_partner


async def tagged(tx: Transaction, customer: Customer, *tags: str) -> Customer:
    return await tagging.tag(tx, TagCustomer(customer_id=customer.id, seen=Seen(None), tags=tags))


async def test_what_came_and_what_went_is_told_at_once_and_only_then(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx, tags=("gold", "north"))

    await tagged(tx, customer, "vip", "north", "vip")

    fact, state = tx.told
    assert fact.record == CustomerTagged(added=["vip"], removed=["gold"])
    assert (customer.tags, state.lane) == (["north", "vip"], Lane.URGENT)
    await tagged(tx, customer, "vip", "north")
    assert len(tx.told) == 2
