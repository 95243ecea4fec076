"""Whoever asked for it is mailed the link that sets another password, once (NOT-12, GW-01)."""

from typing import TYPE_CHECKING, Any

import pytest

from chassis.links import link_token
from contracts.customers.credentials import CredentialLinkRequested
from contracts.notifications.notifications import NotificationSent

if TYPE_CHECKING:
    from .conftest import MailServer, World

PAULA = "paula@hafen.example"


def asked(world: "World", **said: Any) -> CredentialLinkRequested:
    values = {"link_id": world.link_id, "user_id": world.administrator_id, "purpose": "password_reset", "expires_at": world.clock.now()}
    return CredentialLinkRequested(**values | said)


@pytest.mark.parametrize(("language", "words"), [("en", "You asked for a new password"), ("de-AT", "ein neues Passwort angefordert")])
async def test_the_link_is_mailed_once_in_the_users_language(world: "World", mail_server: "MailServer", language: str, words: str) -> None:
    """CUS-92."""
    raw = world.raw(asked(world))
    await world.tell(world.partner(), world.user(language=language))
    for _ in range(2):
        await world.deliver(raw)
        await world.settle()

    body = mail_server.body(PAULA, "plain")
    assert words in body
    token = link_token(b"a key that customers and notifications share", world.link_id)
    assert f"https://deck.example.com/welcome#do=password&lang={language}&token={token}" in body
    assert await world.facts() == [
        NotificationSent(template="password_reset", recipient="partner", message_id=mail_server.to(PAULA)["Message-ID"])
    ]


async def test_a_customers_user_is_written_to_whoever_has_the_communications(world: "World", mail_server: "MailServer") -> None:
    """It asked for it itself."""
    await world.tell(world.partner(), world.customer(mode="partner_only", welcome=False), world.first_admin(status="active"))
    await world.tell(asked(world, user_id=world.first_admin_id))
    await world.settle()

    assert mail_server.recipients == [world.first_admin_email]
    assert (await world.mails())[world.first_admin_email].customer_id == world.customer_id


async def test_it_waits_until_its_user_is_known_and_nobody_who_is_disabled_gets_it(world: "World", mail_server: "MailServer") -> None:
    await world.tell(asked(world))
    await world.settle()
    await world.tell(world.partner(), world.user(status="disabled"))
    await world.later()

    assert mail_server.recipients == []
