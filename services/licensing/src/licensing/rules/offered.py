"""Offered: for which customers a product is set by its partner at all (CUS-64, CUS-51).

The matrix is what customers shows beforehand (``GET /v1/customers/{id}/actions``), published here for
the actions that licensing carries out.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol
from uuid import UUID

from sqlalchemy import select

from chassis.access import tables
from chassis.access.rights import CustomerShutOut
from chassis.database import Transaction
from chassis.http.bodies import Body
from chassis.policies import InForce, Policy
from contracts.customers.customers import AccountType, ManagementType
from contracts.licensing.subscriptions import STANDING
from licensing.errors import CustomerNotServed
from licensing.errors.product_settings import NotOffered, ProductNotHeld
from licensing.rules import policies, served
from licensing.rules.served import Served
from licensing.tables.subscriptions import Subscription

type ActionName = Literal["assign_template", "deploy_policy", "update_firmware"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done with a customer's product."""

    name: ActionName
    rule: str


ASSIGN_TEMPLATE: Final = Action(name="assign_template", rule="CUS-65")
DEPLOY_POLICY: Final = Action(name="deploy_policy", rule="CUS-66")
UPDATE_FIRMWARE: Final = Action(name="update_firmware", rule="CUS-67")


class Cell(Body):
    """For which accounts the matrix offers an action; what it leaves out it does not restrict."""

    account_types: list[AccountType] | None = None
    management_types: list[ManagementType] | None = None
    rule: str


class AccountMatrix(Policy):
    """Actions by what they are offered for; one that is not named is offered for all. Customers has one of the same name: publish both.

    Where account types and management types both decide, the latter refuse by CUS-51: the customer runs its product itself.
    """

    kind: ClassVar[str] = "capability_matrix"

    actions: dict[ActionName, Cell]


async def admit(tx: Transaction, action: Action, customer_id: UUID, product: str) -> Served:
    """The customer, held, if this is done with such a product of its now.

    Raises:
        CustomerMoving: it is being moved to another partner.
        CustomerNotServed: it is not active.
        NotOffered: the matrix says no.
        CustomerShutOut: it has closed itself to those above (MKT-05).
        ProductNotHeld: it does not have the product.
    """
    await served.stay(tx, customer_id)
    customer = await served.held(tx.session, customer_id)
    if customer is None or customer.partner_id != tx.partner_id or customer.status != "active":
        raise CustomerNotServed(rule=action.rule, status=customer.status if customer else "unknown")
    closed = select(tables.customers.c.shut_out).where(tables.customers.c.partner_id == tx.partner_id, tables.customers.c.id == customer_id)
    if await tx.session.scalar(closed):
        raise CustomerShutOut(action=action.name)
    refusal = against(action.name, customer, await policies.in_force(tx, AccountMatrix))
    if refusal is not None:
        raise refusal
    mine = (Subscription.partner_id == tx.partner_id, Subscription.customer_id == customer_id, Subscription.product == product)
    standing = select(Subscription.id).where(*mine, Subscription.status.in_(STANDING)).limit(1)
    if (await tx.session.execute(standing)).one_or_none() is None:
        raise ProductNotHeld(rule=action.rule, product=product)
    return customer


class Described(Protocol):
    """What the matrix may make a difference by, of a customer."""

    @property
    def account_type(self) -> str: ...
    @property
    def management_type(self) -> str: ...


def against(action: ActionName, customer: Described, matrix: InForce[AccountMatrix]) -> NotOffered | None:
    """What the matrix has against an action, if anything."""
    cell = matrix.policy.actions.get(action)
    if cell is None:
        return None
    by_type = cell.rule if cell.account_types is None else "CUS-51"
    for asked, offered, which, rule in (
        ("account_type", cell.account_types, customer.account_type, cell.rule),
        ("management_type", cell.management_types, customer.management_type, by_type),
    ):
        if offered is not None and which not in offered:
            detail = f"Offered only where {asked} is {' or '.join(offered)}."
            return NotOffered(detail, rule=rule, policy_version=str(matrix.version), action=action)
    return None
