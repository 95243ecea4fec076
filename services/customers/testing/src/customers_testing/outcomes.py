"""What came of an application for a customer."""

import pytest
from sqlalchemy import func, select

from chassis.database import Transaction
from chassis.errors import Refusal
from customers import customers
from customers.errors import NotAcceptable
from customers.rules.application import CreateCustomer
from customers.tables.customers import Customer
from customers.tables.users import User


async def refused(tx: Transaction, command: CreateCustomer, kind: type[Refusal] = NotAcceptable) -> dict[str, str]:
    """Create and be refused; answers the codes by pointer, and sees that nothing is left of it."""
    before = await tx.session.scalar(select(func.count()).select_from(Customer))
    with pytest.raises(kind) as refusal:
        await customers.create(tx, command)
    assert tx.told == []
    assert await tx.session.scalar(select(func.count()).select_from(Customer)) == before
    return {error.pointer: error.code for error in refusal.value.errors}


async def user_of(tx: Transaction, customer: Customer) -> User:
    return (await tx.session.scalars(select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id))).one()
