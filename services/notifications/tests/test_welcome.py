"""A new customer's first administrator is welcomed once, when it is time and everything is known, and its partner has a copy."""

import asyncio
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.links import link_token
from contracts.notifications.notifications import NotificationSent, NotificationSuppressed

if TYPE_CHECKING:
    from .conftest import MailServer, World

ADA, PAULA = "ada@muellerei.example", "paula@hafen.example"


async def test_a_new_customer_gets_one_welcome_and_its_partner_a_copy(world: "World", mail_server: "MailServer") -> None:
    """NOT-12, CUS-05: one mail to whoever signs in first, one to the partner's administrator, each told."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    assert sorted(mail_server.recipients) == [ADA, PAULA]
    assert await world.facts() == [
        NotificationSent(template="welcome", recipient="customer", message_id=mail_server.to(ADA)["Message-ID"]),
        NotificationSent(template="welcome", recipient="partner", message_id=mail_server.to(PAULA)["Message-ID"]),
    ]


async def test_the_welcome_carries_a_link_and_no_password(world: "World", mail_server: "MailServer") -> None:
    """NOT-12: a set-your-password link, never a password; the token comes from the link's id and the shared key."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    token = link_token(b"a key that customers and notifications share", world.link_id)
    link = f"https://deck.example.com/welcome#do=password&lang=en&token={token}"
    for part in ("plain", "html"):
        body = unescape(mail_server.body(ADA, part))
        assert link in body
        assert "Müllerei Söhne GmbH" in body


async def test_the_partners_copy_says_so_and_has_no_link(world: "World", mail_server: "MailServer") -> None:
    """CUS-05: the copy is the mail, without what would sign somebody else in."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    copy = mail_server.to(PAULA)
    assert copy["Subject"] == "Copy: Hafen IT: the account of Müllerei Söhne GmbH is ready"
    for part in ("plain", "html"):
        assert "token" not in mail_server.body(PAULA, part)
        assert "/welcome" not in mail_server.body(PAULA, part)
        assert "This is a copy for Hafen IT" in mail_server.body(PAULA, part)


async def test_no_link_is_kept_in_any_row(world: "World") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    token = link_token(b"a key that customers and notifications share", world.link_id)
    for table in ("mails", "due", "outbox"):
        rows = await world.query(f"select t::text as said from {table} t")  # noqa: S608 (names of this test)
        assert all(token not in row.said for row in rows)


async def test_an_event_that_comes_three_times_mails_once(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody())
    told = world.customer()
    first, event_id = world.raw(told), new_id()
    for raw in (first, first, world.raw(told, event_id=event_id), world.raw(told, event_id=event_id)):
        await world.deliver(raw)
        await world.settle()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_new_link_is_a_new_welcome(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    await world.tell(world.customer(link_id=new_id()))
    await world.settle()

    assert sorted(mail_server.recipients) == [ADA, ADA, PAULA, PAULA]


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
async def test_whatever_is_not_known_yet_is_waited_for(world: "World", mail_server: "MailServer", missing: int) -> None:
    """Partner, role, partner's administrator, first administrator: the last one to arrive completes the welcome."""
    known = world.everybody()
    late = known.pop(missing)
    await world.tell(*known, world.customer())
    await world.settle()
    assert len(mail_server.recipients) < 2

    await world.tell(late)
    await world.later(by=timedelta(minutes=1))

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_the_customer_before_everybody_else_is_welcomed_all_the_same(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.customer())
    await world.settle()
    await world.tell(*reversed(world.everybody()))
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_customer_in_review_gets_nothing_until_it_is_cleared(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer(status="pending_review"))
    await world.later()
    assert mail_server.recipients == []

    await world.tell(world.customer(status="active"))
    await world.settle()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_no_welcome_is_written_where_none_is_wanted(world: "World", mail_server: "MailServer") -> None:
    """CUS-25: the checkbox is independent of the communications choice (C-8)."""
    await world.tell(*world.everybody(), world.customer(welcome=False))
    await world.later()

    assert mail_server.recipients == []
    assert await world.facts() == []


async def test_a_partner_that_manages_communications_is_the_only_one_mailed(world: "World", mail_server: "MailServer") -> None:
    """CUS-04, CUS-58: nothing goes to the customer, which is told with its rule; the partner still has its mail."""
    await world.tell(*world.everybody(), world.customer(mode="partner_only"))
    await world.settle()

    assert mail_server.recipients == [PAULA]
    assert "nobody there was mailed" in mail_server.body(PAULA, "plain")
    facts = await world.facts()
    assert facts[0] == NotificationSuppressed(template="welcome", recipient="customer", rule="CUS-58")
    assert [type(fact) for fact in facts[1:]] == [NotificationSent]
    assert (await world.mails())[ADA].reason == "CUS-58"


async def test_both_is_what_lets_a_customer_have_mail(world: "World", mail_server: "MailServer") -> None:
    """CUS-59, C-8: with the default choice both have everything."""
    await world.tell(*world.everybody(), world.customer(mode="both"))
    await world.settle()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_choice_that_changes_before_the_mail_leaves_is_obeyed(world: "World", mail_server: "MailServer") -> None:
    mail_server.answers = ["451 not now"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.tell(world.customer(mode="partner_only"))
    await world.later()

    assert mail_server.recipients == [PAULA]
    assert NotificationSuppressed(template="welcome", recipient="customer", rule="CUS-58") in await world.facts()


async def test_every_active_partner_administrator_has_a_copy_and_nobody_else(world: "World", mail_server: "MailServer") -> None:
    """CUS-05: not the disabled one, not an everyday administrator, not somebody with a role of one's own making."""
    own = world.role().model_copy(update={"state": world.role().state.model_copy(update={"id": new_id(), "predefined": False})})
    await world.tell(
        *world.everybody(),
        world.role(everything=False),
        own,
        world.user(new_id(), name="Otto", email="otto@hafen.example", role_ids=[world.everyday_role_id, world.administrators_role_id]),
        world.user(new_id(), name="Dora", email="dora@hafen.example", status="disabled"),
        world.user(new_id(), name="Emil", email="emil@hafen.example", role_ids=[world.everyday_role_id]),
        world.user(new_id(), name="Nina", email="nina@hafen.example", role_ids=[own.state.id]),
        world.customer(),
    )
    await world.settle()

    assert sorted(mail_server.recipients) == [ADA, "otto@hafen.example", PAULA]


async def test_an_administrator_of_later_days_gets_no_copy_of_old_welcomes(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    await world.tell(world.user(new_id(), name="Nina", email="nina@hafen.example"), world.customer())
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_mail_speaks_the_language_of_its_reader(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.role(), world.user(language="de-AT"), world.first_admin(language="fr"), world.customer())
    await world.settle()

    assert "Dies ist eine Kopie für Hafen IT" in mail_server.body(PAULA, "plain")
    assert mail_server.to(PAULA)["Content-Language"] == "de"
    assert "Choose a password" in mail_server.body(ADA, "plain")


async def test_two_who_look_at_the_same_time_write_one_welcome(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer())
    await asyncio.gather(*(world.settle() for _ in range(4)))
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_what_is_known_of_a_purged_customer_and_its_mails_ends(world: "World") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    await world.deliver(world.tombstone("customer.changed", world.customer_id), world.tombstone("user.changed", world.first_admin_id))

    assert await world.mails() == {}
    assert await world.query("select 1 from customers") == []
    assert [row.id for row in await world.query("select id from users")] == [world.administrator_id]


async def test_a_customer_that_moves_is_not_welcomed_again(world: "World", mail_server: "MailServer") -> None:
    """The new partner's administrators learn nothing of a mail that was written under the old one."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    await _move(world, new_id())
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def _move(world: "World", partner_id: UUID) -> None:
    world.partner_id, world.administrator_id, world.administrators_role_id = partner_id, new_id(), new_id()
    other = world.user(name="Otto", email="otto@elsewhere.example")
    await world.tell(world.partner(name="Elbe IT"), world.role(), other, world.first_admin(), world.customer())
