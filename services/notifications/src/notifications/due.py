"""Due work: welcomes, copies, invitations and links to be written, mails to be sent, and those of purged customers to be forgotten."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from chassis.due import Due
from notifications import (
    consents,
    credential_links,
    deliveries,
    email_changes,
    firmware,
    identity_notices,
    offboarding,
    reviews,
    shutting_out,
    stages,
    welcome,
)
from notifications.deliveries import Desk, Writer
from notifications.rules import mailing

WRITERS: Final[Mapping[str, Writer]] = {
    welcome.TEMPLATE: welcome.letter,
    **dict.fromkeys(credential_links.WORK, credential_links.letter),
    **dict.fromkeys(consents.QUESTIONS.values(), consents.question),
    consents.OUTCOME: consents.outcome,
    **dict.fromkeys(reviews.TEMPLATES, reviews.letter),
    **dict.fromkeys(stages.TEMPLATES.values(), stages.letter),
    firmware.TEMPLATE: firmware.letter,
    **dict.fromkeys(identity_notices.TEMPLATES, identity_notices.letter),
    **dict.fromkeys((shutting_out.BY_CUSTOMER, shutting_out.BY_PARTNER), shutting_out.letter),
    email_changes.CONFIRM: email_changes.letter,
    email_changes.UNDO: email_changes.letter,
}
"""Who writes the letter of each template."""
_GOODBYE: Final = timedelta(seconds=15)
"""What taking leave of a mail server, and writing down what it said, may take beyond its own time."""


def kinds(desk: Desk) -> Sequence[Due]:
    return (
        Due(welcome.WELCOME, welcome.write),
        Due(welcome.COPY, welcome.write_copies),
        Due(welcome.LATE_COPIES, welcome.write_late_copies),
        Due(credential_links.WORK["invitation"], credential_links.write_invitation),
        Due(credential_links.WORK["password_reset"], credential_links.write_reset),
        Due(mailing.SEND, partial(deliveries.send, desk=desk, writers=WRITERS), outside=_GOODBYE + timedelta(seconds=desk.server.timeout)),
        Due(stages.NOTICE, stages.write),
        identity_notices.DUE,
        Due(firmware.NOTICE, firmware.write),
        offboarding.ERASING.due(),
    )
