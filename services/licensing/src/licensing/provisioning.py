"""Provisioning: an active customer is given what was asked for at its creation (CUS-15, LIC-05).

Level-triggered: whenever a customer's newest state says *active*, every item not decided yet is
decided. ``provisionings_item_once`` makes that happen once per item, however often a state is
replayed; a state older than the newest known gives nothing. Items that may not be given are
told with their rule and stay refused.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from chassis.consumers import Event
from chassis.database import Read, Reading, Transaction
from chassis.errors import Refusal
from chassis.http.lists import Listing
from chassis.http.views import View
from contracts.customers.customers import CustomerChanged, CustomerState, ProductAsked
from contracts.licensing.provisioning import ProvisioningRejected
from licensing.rules import beginnings, orders, serials, served, trial_clock
from licensing.rules.beginnings import Recipient
from licensing.rules.orders import Accepted, Order
from licensing.tables.provisionings import Provisioning

_FIRST_VERSION: Final = 1


class ProvisioningView(View, frozen=True, kw_only=True):
    """What became of one product asked for."""

    item: int
    offer: str
    kind: Literal["trial", "paid"]
    quantity: int | None
    outcome: Literal["given", "rejected"]
    subscription_id: UUID | None
    code: str | None
    rule: str | None
    policy_version: str | None
    remedy: str | None
    decided_at: datetime


async def follow(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """Give an active customer what it was not given yet; one that is being moved gets it from whoever has it then."""
    state = event.record.state
    still = state.products_settled or state.moving_to is not None
    if state.status != "active" or still or await served.newer_known(tx, state.id, event.envelope.aggregate_version):
        return
    decided = select(Provisioning.item).where(Provisioning.customer_id == state.id)
    decided = decided.execution_options(across_partners="who moved to another partner is not given everything again")
    done = set((await tx.session.execute(decided)).scalars())
    for asked in sorted(state.products, key=lambda one: one.item):
        if asked.item not in done:
            await _decide(tx, state, asked)


async def _decide(tx: Transaction, state: CustomerState, asked: ProductAsked) -> None:
    order = Order(customer_id=state.id, offer=asked.offer, kind=asked.kind, quantity=asked.quantity, serial_number=_serial_named(asked))
    try:
        accepted = await orders.accept(tx, order)
    except Refusal as refusal:
        await _reject(tx, state, asked, refusal)
        return
    await _give(tx, state, asked, accepted)


async def _give(tx: Transaction, state: CustomerState, asked: ProductAsked, accepted: Accepted) -> None:
    subscription_id = tx.new_id()
    if await _note(tx, state, asked, outcome="given", subscription_id=subscription_id) is None:
        return
    zone = trial_clock.zone_of(state.contact.time_zone)
    recipient = Recipient(customer_id=state.id, zone=zone, data_region=state.data_region, item=asked.item)
    start = beginnings.start_trial if asked.kind == "trial" else beginnings.start_paid
    await start(tx, subscription_id, accepted, recipient)


async def _reject(tx: Transaction, state: CustomerState, asked: ProductAsked, refusal: Refusal) -> None:
    because = {
        "code": refusal.code,
        "rule": refusal.rule or "LIC-03",
        "policy_version": refusal.policy_version or "1",
        "remedy": refusal.remedy,
    }
    noted = await _note(tx, state, asked, outcome="rejected", subscription_id=None, **because)
    if noted is None:
        return
    about = tx.entity("provisioning", noted, version=_FIRST_VERSION, customer_id=state.id, data_region=state.data_region)
    tx.tell(ProvisioningRejected(item=asked.item, offer=asked.offer, **because), about=about)


async def _note(tx: Transaction, state: CustomerState, asked: ProductAsked, **outcome: object) -> UUID | None:
    """Decide the item for good; None where it was decided before."""
    wanted = insert(Provisioning).values(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        customer_id=state.id,
        item=asked.item,
        offer=asked.offer,
        kind=asked.kind,
        quantity=asked.quantity,
        decided_at=tx.now,
        **outcome,
    )
    once = wanted.on_conflict_do_nothing(constraint="provisionings_item_once").returning(Provisioning.id)
    return (await tx.session.execute(once)).scalar_one_or_none()


def _serial_named(asked: ProductAsked) -> str | None:
    """The product serial number that the order's form names, if any (LIC-10)."""
    named = asked.answers.get("serial_number")
    return serials.as_written(named) or None if isinstance(named, str) else None


_OF_CUSTOMER: Final = Reading(
    Provisioning,
    lambda r, _shape: select(r).where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type)).order_by(r.c.item),
    customer="customer_id",
)


async def of_customer(read: Read, customer_id: UUID) -> Listing[ProvisioningView]:
    """What became of the products asked for, by item: 20 at most.

    Raises:
        CustomerNotFound: an operator names one that no partner has.
    """
    rows = await read.rows(_OF_CUSTOMER, customer_id=customer_id)
    if not rows:
        await served.require(read, customer_id)
    return Listing.whole([ProvisioningView.of(row) for row in rows], as_of=read.real_now)
