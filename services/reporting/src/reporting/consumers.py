"""Kafka in: which topics reporting follows, and into which read model each goes."""

from typing import Final

from chassis.access import projection
from chassis.consumers import Consumer
from reporting import audit_trail, customer_overview, endpoints, offboarding, provisioning_rejections, subscription_overview, timeline
from reporting.rules.freshness import FOLLOWER

OVERVIEWS: Final = (
    *(customer_overview.PROJECTION, subscription_overview.PROJECTION),
    *(provisioning_rejections.PROJECTION, endpoints.PROJECTION),
)
"""Counted from one another, so they are kept by one consumer, and rebuilt together."""


def consumers() -> list[Consumer]:
    """Access in a group of its own, so that rights never wait behind a read model that is being rebuilt."""
    return [
        projection.consumer("reporting"),
        Consumer(group=FOLLOWER, handlers=[*OVERVIEWS, *offboarding.HANDLERS, *timeline.STEPS, audit_trail.STEP]),
    ]
