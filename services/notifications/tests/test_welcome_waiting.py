"""A welcome waits until its reader may sign in, and its copies until somebody is there for them; both without asking again and again."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chassis.ids import new_id
from contracts.customers.customers import ManagementType
from contracts.notifications.notifications import NotificationSent, NotificationSuppressed

if TYPE_CHECKING:
    from .conftest import MailServer, World

ADA, PAULA = "ada@muellerei.example", "paula@hafen.example"


async def test_nobody_at_a_partner_managed_customer_is_asked_to_choose_a_password(world: "World", mail_server: "MailServer") -> None:
    """CUS-52: sign-in is blocked there, so the welcome is held back, which is told; the partner still has its copy (CUS-05)."""
    await world.tell(*world.everybody(), world.customer(managed="partner_managed"))
    await world.later()

    assert mail_server.recipients == [PAULA]
    assert "nobody there can sign in" in mail_server.body(PAULA, "plain")
    facts = await world.facts()
    assert facts[0] == NotificationSuppressed(template="welcome", recipient="customer", rule="CUS-52")
    assert [type(fact) for fact in facts[1:]] == [NotificationSent]
    assert (await world.mails())[ADA].reason == "CUS-52"


@pytest.mark.parametrize("managed", ["co_managed", "customer_managed"])
async def test_the_welcome_goes_out_once_the_customer_may_sign_in(
    world: "World", mail_server: "MailServer", managed: ManagementType
) -> None:
    """CUS-52, CUS-53: with the link it had, to where its reader is now, and once; the partner has had its copy."""
    await world.tell(*world.everybody(), world.customer(managed="partner_managed"))
    await world.settle()
    world.first_admin_email = "ada@new.example"

    for _ in range(2):
        await world.tell(world.customer(managed=managed))
        await world.later()

    assert mail_server.recipients == [PAULA, "ada@new.example"]
    facts = await world.facts()
    assert facts[-1] == NotificationSent(
        template="welcome", recipient="customer", message_id=mail_server.to("ada@new.example")["Message-ID"]
    )
    welcome = (await world.mails())["ada@new.example"]
    assert (welcome.state, welcome.reason, welcome.version) == ("sent", None, 2)


async def test_a_customer_whose_partner_takes_over_before_the_mail_leaves_waits_for_it(world: "World", mail_server: "MailServer") -> None:
    """CUS-52: decided again when the mail leaves, and when the management type changes after that."""
    mail_server.answers = ["451 not now"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.tell(world.customer(managed="partner_managed"))
    await world.later()
    assert mail_server.recipients == [PAULA]

    await world.tell(world.customer(managed="co_managed"))
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_change_that_comes_while_the_mail_is_being_held_back_is_not_lost(world: "World", mail_server: "MailServer") -> None:
    """CUS-52: holding a mail back looks at the customer once more, after it is held."""
    mail_server.answers = ["451 not now"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.tell(world.customer(managed="partner_managed"))
    await world.change("delete from due where kind = 'mail.welcome'")
    world.clock.move(timedelta(hours=2))
    while not await world.query("select 1 from mails where state = 'suppressed'"):
        await world.due.work_one()

    assert len(await world.query("select 1 from due where kind = 'mail.welcome'")) == 1


async def test_a_released_welcome_still_obeys_the_communications_choice(world: "World", mail_server: "MailServer") -> None:
    """CUS-58, CUS-52: each reason is told."""
    await world.tell(*world.everybody(), world.customer(managed="partner_managed", mode="partner_only"))
    await world.settle()
    await world.tell(world.customer(mode="partner_only"))
    await world.later()

    assert mail_server.recipients == [PAULA]
    rules = [fact.rule for fact in await world.facts() if isinstance(fact, NotificationSuppressed)]
    assert rules == ["CUS-52", "CUS-58"]


async def test_copies_wait_for_an_administrator_without_trying_again_and_again(world: "World", mail_server: "MailServer") -> None:
    """CUS-05: where no Partner Administrator is active nothing is planned until the partner's users change."""
    await world.tell(world.partner(), world.role(), world.user(status="disabled"), world.first_admin(), world.customer())
    await world.later()
    assert mail_server.recipients == [ADA]
    assert await world.query("select 1 from due") == []

    await world.tell(world.user(new_id(), name="Emil", email="emil@hafen.example", role_ids=[world.everyday_role_id]))
    await world.later()
    assert mail_server.recipients == [ADA]

    await world.tell(world.user(status="active"))
    await world.settle()
    assert mail_server.recipients == [ADA, PAULA]

    await world.tell(world.user(new_id(), name="Nina", email="nina@hafen.example"))
    await world.later()
    assert mail_server.recipients == [ADA, PAULA]


async def test_the_copies_of_a_purged_administrator_are_not_written_anew_to_others(world: "World", mail_server: "MailServer") -> None:
    """CUS-05: copies are decided once, also where those who had them are gone."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.deliver(world.tombstone("user.changed", world.administrator_id))

    await world.tell(world.user(new_id(), name="Nina", email="nina@hafen.example"))
    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_the_welcome_goes_to_the_address_that_the_customer_says_now(world: "World", mail_server: "MailServer") -> None:
    """CUS-24, NOT-12: a temporary address was replaced, and what was told of the user itself is still on its way."""
    await world.tell(*world.everybody(), world.customer(status="pending_review"))
    await world.settle()

    world.first_admin_email = "lasting@muellerei.example"
    await world.tell(world.customer())
    await world.settle()

    assert sorted(mail_server.recipients) == ["lasting@muellerei.example", PAULA]
    assert "lasting@muellerei.example" in mail_server.body("lasting@muellerei.example", "plain")


async def test_a_link_that_was_taken_back_is_not_mailed_any_more(world: "World", mail_server: "MailServer") -> None:
    """CUS-24: the server puts the mail off, meanwhile the address is replaced and its link ends."""
    mail_server.answers = ["451 later"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    world.first_admin_email = "lasting@muellerei.example"
    await world.tell(world.customer(welcome=False))
    await world.later()

    assert (await world.mails())[ADA].reason == "link_taken_back"
    assert mail_server.recipients == [PAULA]
