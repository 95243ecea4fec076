"""Kafka in: who may do what, whom mails go to, and who is to be welcomed, invited or asked."""

from collections.abc import Sequence

from chassis.access import projection as access
from chassis.consumers import Consumer, Step
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged
from contracts.customers.roles import RoleChanged
from contracts.customers.users import UserChanged
from notifications import (
    consents,
    credential_links,
    directory,
    email_changes,
    firmware,
    identity_notices,
    offboarding,
    reviews,
    shutting_out,
    stages,
    welcome,
)


def consumers() -> Sequence[Consumer]:
    """The directory comes before the steps, so a step finds what its own event says."""
    return (
        access.consumer("notifications"),
        Consumer(
            group="notifications",
            handlers=[
                *directory.PROJECTIONS,
                offboarding.RELEASING.step(),
                offboarding.REHOMING,
                offboarding.ERASING.step(),
                Step(name="notifications.welcome", record=CustomerChanged, handle=welcome.look),
                Step(name="notifications.stages", record=CustomerChanged, handle=stages.look),
                Step(name="notifications.welcome_copies", record=UserChanged, handle=welcome.look_at_user),
                Step(name="notifications.welcome_roles", record=RoleChanged, handle=welcome.look_at_role),
                Step(name="notifications.credential_links", record=CredentialLinkRequested, handle=credential_links.look),
                *consents.STEPS,
                *reviews.STEPS,
                *firmware.STEPS,
                *shutting_out.STEPS,
                *identity_notices.STEPS,
                Step(name="notifications.email_change", record=UserChanged, handle=email_changes.look),
            ],
        ),
    )
