"""A partner is told that a customer is held and what was decided, and nobody at the customer is (CUS-13, CUS-14)."""

from typing import TYPE_CHECKING

from chassis.ids import new_id
from chassis_testing import told
from contracts.customers.customers import CustomerReviewCleared, CustomerReviewOpened, CustomerReviewRejected
from contracts.envelope import encode
from contracts.records import Fact

if TYPE_CHECKING:
    from .conftest import MailServer, World

PAULA, BOB = "paula@hafen.example", "bob@hafen.example"
BOB_ID = new_id()


async def happens(world: "World", fact: Fact) -> None:
    """To the customer of this world."""
    about = {"subject": world.customer_id, "customer_id": world.customer_id, "partner_id": world.partner_id}
    said = told.an_envelope(fact, version=3, at=world.clock.now(), **about)
    await world.deliver(world._placed(fact.topic, str(world.customer_id), encode(said), fact.payload()))
    await world.settle()


async def test_administrators_and_who_asked_are_told_what_is_held_and_how_it_ends(world: "World", mail_server: "MailServer") -> None:
    bob = world.user(BOB_ID, name="Bob Kahn", email=BOB, language="de", role_ids=[])
    await world.tell(*world.everybody(), bob, world.customer(status="pending_review", welcome=False))

    await happens(world, CustomerReviewOpened(reasons=["denied_party"], asked_by=BOB_ID))
    assert mail_server.to(PAULA)["Subject"] == "Müllerei Söhne GmbH is being looked at"
    assert mail_server.to(BOB)["Subject"] == "Müllerei Söhne GmbH wird geprüft"
    await happens(world, CustomerReviewRejected(reviewed_by=new_id(), reason="It is on a list."))

    assert len(mail_server.received) == 4
    said = [str(one["Subject"]) for one in mail_server.received]
    assert said[2:] == ["Müllerei Söhne GmbH was rejected", "Müllerei Söhne GmbH wurde abgelehnt"]
    last = await world.query("select about from mails where template = 'review_rejected'")
    assert [row.about for row in last] == [{"reason": "It is on a list."}] * 2


async def test_a_customer_that_is_cleared_goes_on(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer(welcome=False))

    await happens(world, CustomerReviewCleared(reviewed_by=new_id()))

    assert mail_server.to(PAULA)["Subject"] == "Müllerei Söhne GmbH can go on"
    assert "ask the operator" not in mail_server.body(PAULA, "plain")
