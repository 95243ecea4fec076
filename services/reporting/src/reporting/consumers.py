"""Kafka in: which state topics reporting follows, and into which projection each goes."""

from chassis.access import projection
from chassis.consumers import Consumer
from reporting import customer_overview, subscription_overview, timeline
from reporting.rules.freshness import FOLLOWER


def consumers() -> list[Consumer]:
    """Access in a group of its own, so that rights never wait behind a read model that is being rebuilt."""
    return [
        projection.consumer("reporting"),
        Consumer(group=FOLLOWER, handlers=[customer_overview.PROJECTION, subscription_overview.PROJECTION, *timeline.STEPS]),
    ]
