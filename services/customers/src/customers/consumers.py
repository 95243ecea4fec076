"""Kafka in: what customers follows."""

from chassis.consumers import Consumer
from customers.catalogue import FOLLOW_OFFERS, FOLLOW_PROGRAMMES


def consumers() -> list[Consumer]:
    return [Consumer(group="customers", handlers=[FOLLOW_PROGRAMMES, FOLLOW_OFFERS])]
