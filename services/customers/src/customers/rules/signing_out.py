"""Signing out: whatever a customer's users hold is worth nothing any more, everywhere within five seconds."""

from sqlalchemy import select

from chassis.database import Transaction
from customers.rules.telling import tell_user
from customers.tables.customers import Customer
from customers.tables.users import User


async def sign_out_users(tx: Transaction, customer: Customer) -> None:
    """End all tokens and sessions of the customer's users. Lock the customer first."""
    users = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id).with_for_update()
    signed_out = (await tx.session.scalars(users)).all()
    for user in signed_out:
        user.gen += 1
        user.updated_at = tx.now
    await tx.session.flush()
    for user in signed_out:
        tell_user(tx, user)
