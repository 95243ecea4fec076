"""Notifications: a mail that was sent, failed for good, or was held back."""

from typing import ClassVar, Literal

from contracts.records import Fact

type RecipientRole = Literal["customer", "partner"]


class NotificationFact(Fact):
    aggregate: ClassVar[str] = "notification"


class NotificationSent(NotificationFact):
    topic: ClassVar[str] = "notification.sent"
    template: str
    recipient: RecipientRole
    message_id: str


class NotificationFailed(NotificationFact):
    topic: ClassVar[str] = "notification.failed"
    template: str
    recipient: RecipientRole
    reason: str


class NotificationSuppressed(NotificationFact):
    """Not sent, because a rule says so (communications choice, access)."""

    topic: ClassVar[str] = "notification.suppressed"
    template: str
    recipient: RecipientRole
    rule: str
