"""A customer comes into being whole or not at all, and everything about it is told once (CUS-01 to CUS-26)."""

from chassis.database import Transaction
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged, CustomerCreated, EulaAccepted
from contracts.customers.users import UserChanged, UserCreated
from customers import customers
from customers_testing.builders import a_partner, an_application


async def test_a_sound_application_becomes_an_active_customer_and_is_told(tx: Transaction) -> None:
    """CUS-01, CUS-03, CUS-15."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application())

    assert customer.status == "active"
    assert tx.facts_told == [CustomerCreated, EulaAccepted, UserCreated, CredentialLinkRequested]
    assert [type(one.record) for one in tx.told if one.record.topic.endswith(".changed")] == [CustomerChanged, UserChanged]
