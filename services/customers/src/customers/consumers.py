"""Kafka in: what customers follows; the clocks it tells of it follows too, like everybody."""

from typing import Final

from chassis.consumers import Consumer, Step
from chassis.ticks.following import FOLLOW
from contracts.any.clocks import PartnerClockReached
from customers import sandboxes
from customers.catalogue import FOLLOW_OFFERS, FOLLOW_PROGRAMMES

CLOCK_ANSWERS: Final = Step(name="customers.clock_answers", record=PartnerClockReached, handle=sandboxes.hear)


def consumers() -> list[Consumer]:
    return [Consumer(group="customers", handlers=[FOLLOW_PROGRAMMES, FOLLOW_OFFERS, FOLLOW, CLOCK_ANSWERS])]
