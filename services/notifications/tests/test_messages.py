"""A message reads the same wherever it is opened: its headers are whole, and begin where readers look for them (NOT-12)."""

import email
import email.policy
from datetime import UTC, datetime
from uuid import UUID

import pytest

from notifications.rules import messages
from notifications.rules.headers import mailbox
from notifications.rules.letters import Letter
from notifications.rules.messages import Parties

_SENDER = "Partnerdeck <no-reply@partnerdeck.example>"


@pytest.mark.parametrize(
    "subject",
    [
        "Hafen IT: the account of Mill is ready",
        "Northwind Managed Services: the account of Alder Bakery South is ready",
        "Copy: Northwind Managed Services in Northern Europe: the account of the Alder Bakery and Mill of the South is ready",
        "Nørthwind Managed Services: das Konto der Bäckerei und Mühle Söhne am großen Fluss ist eingerichtet",
        "M" * 120,
    ],
)
def test_a_subject_begins_on_the_line_of_its_name(subject: str) -> None:
    """RFC 5322, 2.2.3: an empty first line is read as an empty subject by some."""
    letter = Letter(language="en", subject=subject, html="<p>Hello</p>", text="Hello\n")
    parties = Parties(sender=_SENDER, to=mailbox("Ada Lovelace", "ada@example.com"))

    sent = messages.build(letter, parties, message_id=messages.message_id(UUID(int=1), _SENDER), at=datetime(2026, 1, 5, tzinfo=UTC))

    headers = sent.as_bytes().partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line for line in headers if line.rstrip().endswith(b":")] == []
    assert max(map(len, headers)) < 100
    assert email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)["Subject"] == subject
