"""Composition of the reporting service. The only place that builds anything."""

from pathlib import Path

from chassis.service import Service
from contracts.catalogue import states_of
from reporting import offboarding
from reporting.consumers import consumers
from reporting.routes import audit_trail, customer_overview, endpoints, timeline
from reporting.rules.policies import KINDS
from reporting.settings import Settings


def service(settings: Settings) -> Service:
    return Service(
        name="reporting",
        settings=settings,
        migrations=Path(__file__).parent / "migrations",
        follows={"customer": ("customer_overview",), "subscription": ("subscription_overview",)},
        routers=[customer_overview.router, endpoints.router, timeline.router, audit_trail.router],
        consumers=consumers(),
        states=states_of("reporting"),
        policies=KINDS,
        due=[offboarding.ERASING.due()],
    )
