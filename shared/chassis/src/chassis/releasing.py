"""Releasing: a service keeps still about a customer that is being moved, and says so (MKT-02).

The customer's state names the partner to which it is being moved. The service's read model of customers takes that
over in the same transaction in which this answers, so whoever tells something of a customer holds that row
(``for share``) and looks: it has told before the answer, or waits until the customer has changed hands or stays.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import SelectBase, select

from chassis.consumers.events import Event
from chassis.consumers.handlers import Step
from chassis.database.transaction import Transaction
from chassis.due import DueRow
from contracts.any.releasing import CustomerReleased
from contracts.customers.customers import CustomerChanged

_ACROSS: Final = {"across_partners": "whoever's work is in hand is waited for"}


async def _nothing_in_hand(_tx: Transaction, _customer_id: UUID) -> None:
    """Whoever tells something holds the customer's row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing:
    """How one service keeps still. ``settle`` waits for what is in hand without holding the customer's row."""

    service: str
    settle: Callable[[Transaction, UUID], Awaitable[None]] = _nothing_in_hand

    def step(self) -> Step[CustomerChanged]:
        """Put it behind the read model of customers."""
        return Step(name=f"{self.service}.releasing", record=CustomerChanged, handle=self._answer)

    async def _answer(self, tx: Transaction, event: Event[CustomerChanged]) -> None:
        state = event.record.state
        if state.moving_to is None:
            return
        await self.settle(tx, state.id)
        about = tx.entity(
            "release", state.id, version=event.envelope.aggregate_version, customer_id=state.id, data_region=state.data_region
        )
        tx.tell(CustomerReleased(service=self.service), about=about)


async def wait_for(tx: Transaction, subjects: SelectBase) -> None:
    """Wait for work on these subjects that somebody has in hand; nobody takes it up before this transaction ends."""
    in_hand = select(DueRow.id).where(DueRow.subject.in_(subjects)).order_by(DueRow.id).with_for_update()
    await tx.session.execute(in_hand, execution_options=_ACROSS)
