"""Kafka in: what customers follows; the clocks it tells of it follows too, like everybody."""

from typing import Final

from chassis.consumers import Consumer, Step
from chassis.ticks.following import FOLLOW
from contracts.any.clocks import PartnerClockReached
from contracts.any.erasing import CustomerErased
from contracts.any.releasing import CustomerReleased
from contracts.licensing.clearance import CustomerDeletionBlocked, CustomerDeletionCleared
from customers import sandboxes
from customers.catalogue import FOLLOW_OFFERS, FOLLOW_PROGRAMMES, FOLLOW_SUBSCRIPTIONS
from customers.offboarding import deletion, moving, purging

CLOCK_ANSWERS: Final = Step(name="customers.clock_answers", record=PartnerClockReached, handle=sandboxes.hear)

OFFBOARDING: Final = (
    Step(name="customers.cleared", record=CustomerDeletionCleared, handle=deletion.cleared),
    Step(name="customers.blocked", record=CustomerDeletionBlocked, handle=deletion.blocked),
    Step(name="customers.released", record=CustomerReleased, handle=moving.hear),
    Step(name="customers.erased", record=CustomerErased, handle=purging.hear),
    purging.ERASING.step(),
)


def consumers() -> list[Consumer]:
    known = (FOLLOW_PROGRAMMES, FOLLOW_OFFERS, FOLLOW_SUBSCRIPTIONS)
    return [Consumer(group="customers", handlers=[*known, FOLLOW, CLOCK_ANSWERS, *OFFBOARDING])]
