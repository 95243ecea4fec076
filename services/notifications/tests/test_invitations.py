"""A partner's user without a password is invited to choose one, once (CUS-81: the first administrator of a new partner too)."""

from typing import TYPE_CHECKING, Literal

from chassis.ids import new_id
from chassis.links import link_token
from contracts.customers.credentials import CredentialLinkRequested
from contracts.notifications.notifications import NotificationSent

if TYPE_CHECKING:
    from .conftest import MailServer, World

PAULA = "paula@hafen.example"


async def test_an_invited_user_is_mailed_its_link_once(world: "World", mail_server: "MailServer") -> None:
    raw = world.raw(_requested(world))
    await world.tell(world.partner(), world.user(status="invited"))
    for _ in range(3):
        await world.deliver(raw)
        await world.settle()

    token = link_token(b"a key that customers and notifications share", world.link_id)
    link = f"https://deck.example.com/welcome#do=password&lang=en&token={token}"
    assert link in mail_server.to(PAULA).get_body(("plain",)).get_content()
    assert await world.facts() == [
        NotificationSent(template="invitation", recipient="partner", message_id=mail_server.to(PAULA)["Message-ID"])
    ]


async def test_an_invitation_waits_until_its_user_is_known(world: "World", mail_server: "MailServer") -> None:
    await world.tell(_requested(world))
    await world.settle()
    await world.tell(world.user(status="invited"), world.partner())
    await world.later()

    assert mail_server.recipients == [PAULA]


async def test_who_has_a_password_is_not_invited(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.user(status="active"), _requested(world))
    await world.later()

    assert mail_server.recipients == []


async def test_a_welcome_is_not_mailed_for_its_requested_link(world: "World", mail_server: "MailServer") -> None:
    """The customer's state says when it is due."""
    await world.tell(world.partner(), world.user(status="invited"), _requested(world, "welcome"))
    await world.later()

    assert mail_server.recipients == []


async def test_each_link_is_an_invitation_of_its_own(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.user(status="invited"), _requested(world))
    await world.settle()
    world.link_id = new_id()
    await world.tell(_requested(world))
    await world.settle()

    assert mail_server.recipients == [PAULA, PAULA]


def _requested(world: "World", purpose: Literal["welcome", "invitation", "password_reset"] = "invitation") -> CredentialLinkRequested:
    return CredentialLinkRequested(link_id=world.link_id, user_id=world.administrator_id, purpose=purpose, expires_at=world.clock.now())
