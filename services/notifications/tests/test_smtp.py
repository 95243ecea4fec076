"""What the mail server's answer means: taken, never, later, or away. A mail that asks for protection never goes without."""

from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from notifications.channels import smtp
from notifications.deliveries import Desk

if TYPE_CHECKING:
    from .conftest import MailServer


async def test_what_the_server_took_is_delivered_once(desk: Desk, mail_server: "MailServer") -> None:
    await smtp.hand_over(desk.server, _message())

    assert mail_server.recipients == ["ada@example.com"]


async def test_a_server_that_takes_a_mail_and_answers_no_goodbye_has_taken_it(desk: Desk, mail_server: "MailServer") -> None:
    mail_server.deaf = True

    await smtp.hand_over(desk.server, _message())

    assert mail_server.recipients == ["ada@example.com"]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        ("550 5.1.1 unknown", smtp.Refused, "550 5.1.1"),
        ("554 no", smtp.Refused, "554"),
        ("451 4.7.1 later", smtp.Deferred, "451 4.7.1"),
        ("421 closing", smtp.Unavailable, "421"),
    ],
)
async def test_a_no_is_for_good_or_for_now(
    desk: Desk, mail_server: "MailServer", answer: str, outcome: type[smtp.NotTaken], code: str
) -> None:
    mail_server.answers = [answer]

    with pytest.raises(outcome) as refused:
        await smtp.hand_over(desk.server, _message())

    assert refused.value.code == code


@pytest.mark.parametrize("changes", [{"port": 1}, {"host": "no-such-host.invalid"}, {"timeout": 0.0001}])
async def test_a_server_that_is_not_there_is_away(desk: Desk, changes: dict[str, object]) -> None:
    with pytest.raises(smtp.Unavailable):
        await smtp.hand_over(replace(desk.server, **changes), _message())  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"starttls": True}, {"tls": True}, {"username": "me", "password": "secret"}])
async def test_a_server_without_what_protects_the_mail_is_not_given_it(
    desk: Desk, mail_server: "MailServer", changes: dict[str, object]
) -> None:
    with pytest.raises(smtp.Unavailable):
        await smtp.hand_over(replace(desk.server, **changes), _message())  # type: ignore[arg-type]

    assert mail_server.recipients == []


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "no-reply@example.com", "ada@example.com", "Hello"
    message.set_content("Hello.")
    return message
