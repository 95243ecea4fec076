"""Kafka in: records become effects exactly once, in the order told."""

from chassis.consumers.events import Event
from chassis.consumers.handlers import Consumer, Projection, Step

__all__ = ["Consumer", "Event", "Projection", "Step"]
