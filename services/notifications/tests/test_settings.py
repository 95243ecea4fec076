"""What is missing or dangerous in the settings is said at start, not at the first mail."""

import pytest
from pydantic import ValidationError

from notifications.app import desk, service
from notifications.settings import Settings

GIVEN = {
    "customers_url": "http://127.0.0.1:1",
    "database_name": "notifications",
    "worker_password": "w",
    "api_password": "a",
    "kafka": "127.0.0.1:9092",
    "http_port": 8000,
    "link_key": "k" * 44,
    "mail_from": "Partnerdeck <no-reply@partnerdeck.example>",
    "public_url": "http://127.0.0.1:8080/",
    "smtp_host": "127.0.0.1",
    "smtp_port": 25,
}


def test_a_service_is_composed_of_its_settings() -> None:
    made = service(Settings.model_validate(GIVEN))

    assert [one.group for one in made.consumers] == ["notifications.access", "notifications"]
    assert {one.kind for one in made.due} >= {
        "mail.welcome",
        "mail.welcome_copy",
        "mail.late_welcome_copies",
        "mail.invitation",
        "mail.send",
    }
    assert len({one.kind for one in made.due}) == len(made.due)


def test_the_server_is_told_the_domain_that_mails_come_from() -> None:
    made = desk(Settings.model_validate(GIVEN))

    assert made.server.hostname == "partnerdeck.example"
    assert made.links.public_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_from": "nobody"},
        {"mail_from": "A <a@b>\r\nBcc: c@d"},
        {"public_url": "deck.example.com"},
        {"public_url": "https://deck.example.com/?x=1"},
        {"link_key": "short"},
        {"smtp_user": "me", "smtp_password": "secret"},
        {"smtp_user": "me", "smtp_tls": True},
        {"smtp_tls": True, "smtp_starttls": True},
    ],
)
def test_what_cannot_work_is_refused_at_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(GIVEN | wrong)
