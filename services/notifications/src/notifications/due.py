"""Due work: welcomes, copies, invitations and links to be written, mails to be sent, and those of purged customers to be forgotten."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from chassis.due import Due
from notifications import consents, deliveries, email_changes, invitations, offboarding, password_resets, stages, welcome
from notifications.deliveries import Desk, Writer
from notifications.rules import mailing

WRITERS: Final[Mapping[str, Writer]] = {
    welcome.TEMPLATE: welcome.letter,
    invitations.TEMPLATE: invitations.letter,
    **dict.fromkeys(consents.QUESTIONS.values(), consents.question),
    consents.OUTCOME: consents.outcome,
    **dict.fromkeys(stages.TEMPLATES.values(), stages.letter),
    password_resets.TEMPLATE: password_resets.letter,
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
        Due(invitations.INVITE, invitations.write),
        Due(password_resets.RESET, password_resets.write),
        Due(mailing.SEND, partial(deliveries.send, desk=desk, writers=WRITERS), outside=_GOODBYE + timedelta(seconds=desk.server.timeout)),
        Due(stages.NOTICE, stages.write),
        offboarding.ERASING.due(),
    )
