"""First admins: a temporary first address is replaced by one on the customer's domain (CUS-24).

The login moves with the address, and whoever held the old one is signed out and signs in no more: a
password is good for the address from which it was set. A link that was mailed to the old one is worth
nothing from then on, and no mail is on its way that could still go there: whoever has the new one is
sent a link when it is asked for (``links.request``). While the customer is in review nothing was mailed,
so its welcome stays as it is.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.users import UserUpdated
from customers.rules import actions, capabilities, linking, policies, staff
from customers.rules.constraints import settle
from customers.rules.holding import hold
from customers.rules.identity import IdentityPolicy, objection
from customers.rules.objections import Objections
from customers.rules.particulars import works_for_the_reseller
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_customer, tell_user
from customers.tables.customers import Customer
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceAddress:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    email: str


async def replace_address(tx: Transaction, command: ReplaceAddress) -> Customer:
    """Give the first admin its lasting address.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is going, or gone.
        NotTemporary: the address is a lasting one already.
        NotAcceptable: the new one is not on the customer's domain (CUS-23), or it is the partner's (CUS-09).
        EmailTaken: somebody else has it (CUS-11).
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.REPLACE_FIRST_ADDRESS, customer)
    identity = await policies.in_force(tx, IdentityPolicy)
    objections = Objections()
    against = objection(command.email, customer.domain, identity.policy, temporary=False)
    if against is not None:
        remedy = f"Give an address on {customer.domain}."
        objections.add("/email", against.code, against.detail, rule=against.rule, remedy=remedy, by=identity)
    works_for_the_reseller("/email", command.email, await staff.telling_domains(tx), objections)
    objections.refuse()
    customer.first_admin = customer.first_admin | {"email": command.email, "temporary": False}
    customer.identity_policy_version = str(identity.version)
    customer.updated_at = tx.now
    if customer.status != "pending_review":
        customer.welcome_link_id = None
    await _move_login(tx, customer, command.email)
    tell_customer(tx, customer)
    return customer


async def _move_login(tx: Transaction, customer: Customer, email: str) -> None:
    admin = select(User).where(User.partner_id == tx.partner_id, User.id == UUID(customer.first_admin["user_id"])).with_for_update()
    user = (await tx.session.scalars(admin)).one()
    fields = ["email"] if user.status == "invited" else ["email", "status"]
    user.email = email
    user.status = "invited"
    await settle(tx, "/email")
    await sign_out(tx, user, "address_changed")
    if customer.status != "pending_review":
        await linking.take_back(tx, user)
    tell_user(tx, user, UserUpdated(fields=fields))
