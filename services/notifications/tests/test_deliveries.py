"""A mail is sent until the server takes it or says no for good, and is the same message however often it goes (NOT-12, NOT-18)."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from chassis.due import DueWorker
from chassis.ids import made_at
from contracts.customers.partners import PartnerChanged, SupportInfo
from contracts.notifications.notifications import NotificationFailed, NotificationSent, NotificationSuppressed
from notifications import deliveries, due
from notifications.channels.smtp import Server
from notifications.deliveries import Desk

if TYPE_CHECKING:
    from .conftest import MailServer, World

ADA, PAULA = "ada@muellerei.example", "paula@hafen.example"


async def test_a_server_that_says_later_is_asked_again(world: "World", mail_server: "MailServer") -> None:
    mail_server.answers = ["451 4.7.1 greylisted"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    assert mail_server.recipients == [PAULA]

    await world.later()

    assert sorted(mail_server.recipients) == [ADA, PAULA]
    assert (await world.mails())[ADA].attempts == 2


async def test_a_no_for_good_is_told_without_naming_anybody(world: "World", mail_server: "MailServer") -> None:
    mail_server.answers = [f"550 5.1.1 <{ADA}> unknown here"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.later()

    assert mail_server.recipients == [PAULA]
    assert NotificationFailed(template="welcome", recipient="customer", reason="smtp 550 5.1.1") in await world.facts()
    row = (await world.mails())[ADA]
    assert (row.state, row.reason) == ("failed", f"550 5.1.1: 5.1.1 <{ADA}> unknown here")


async def test_a_server_that_puts_off_for_ever_is_given_up(
    world: "World", mail_server: "MailServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_DEFERRALS", 2)
    mail_server.answers = ["451 4.2.2 full", "250 taken", "451 4.2.2 full"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.later()

    assert NotificationFailed(template="welcome", recipient="customer", reason="smtp 451 4.2.2") in await world.facts()
    assert await world.query("select 1 from due") == []


async def test_a_server_that_is_away_is_waited_for(world: "World", desk: Desk, mail_server: "MailServer") -> None:
    away = Desk(server=_replaced(desk, port=1), mail_from=desk.mail_from, links=desk.links)
    await world.tell(*world.everybody(), world.customer())
    worker = DueWorker(due.kinds(away), world.database, world.clock)
    while await worker.work_one():
        pass
    assert {row.state for row in (await world.mails()).values()} == {"pending"}

    await world.later(by=timedelta(minutes=1))

    assert sorted(mail_server.recipients) == [ADA, PAULA]


async def test_a_server_that_never_answers_does_not_hold_us(world: "World", desk: Desk, mail_server: "MailServer") -> None:
    mute = Desk(server=_replaced(desk, timeout=0.001), mail_from=desk.mail_from, links=desk.links)
    await world.tell(*world.everybody(), world.customer())
    worker = DueWorker(due.kinds(mute), world.database, world.clock)
    while await worker.work_one():
        pass

    assert {row.state for row in (await world.mails()).values()} == {"pending"}


async def test_a_kill_after_the_servers_yes_sends_the_same_message_again(world: "World", mail_server: "MailServer") -> None:
    """What was sent and not committed goes again, under the same Message-ID and date; told once."""
    await world.tell(*world.everybody(), world.customer(mode="partner_only"))
    await _until_written(world)
    killed = _Killed(world)
    with pytest.raises(ConnectionAbortedError):
        await killed.work_one()
    assert mail_server.recipients == [PAULA]

    await world.settle()

    first, second = mail_server.received
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])
    assert [type(fact) for fact in await world.facts()] == [NotificationSuppressed, NotificationSent]


async def test_a_mail_carries_the_partners_links_and_contacts(world: "World", mail_server: "MailServer") -> None:
    """NOT-18, CUS-75: purchase and support links, support mail and telephone, and answers go to the partner."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    mail = mail_server.to(ADA)
    text_part, html_part = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for said in ("https://help.hafen.example", "help@hafen.example", "+49 40 123456"):
        assert said in text_part
        assert said in html_part
    assert "https://shop.hafen.example/buy?a=1&b=2" in text_part
    assert 'href="https://shop.hafen.example/buy?a=1&amp;b=2"' in html_part
    assert str(mail["Reply-To"]) == "Hafen IT <help@hafen.example>"


async def test_a_partner_without_contacts_has_none_shown(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(support=SupportInfo()), world.role(), world.user(), world.first_admin(), world.customer())
    await world.settle()

    mail = mail_server.to(ADA)
    assert mail["Reply-To"] is None
    assert "Help from" not in mail.get_body(("plain",)).get_content()


async def test_a_mail_says_what_it_is(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    mail = mail_server.to(ADA)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.replace(microsecond=0) == (await world.mails())[ADA].created_at.replace(microsecond=0)
    assert str(mail["Message-ID"]).endswith("@partnerdeck.example>")
    assert mail.get_content_type() == "multipart/alternative"
    assert all(max(map(len, raw.split(b"\r\n"))) <= 998 for raw in mail_server.raw)


async def test_a_sandbox_partners_mail_is_sent_and_says_that_it_is_play(world: "World", mail_server: "MailServer") -> None:
    """BEY-11: its date is real, however far ahead the partner lives."""
    state = world.partner().state.model_copy(update={"sandbox": True, "ahead_seconds": 90 * 86_400.0})
    play = PartnerChanged(facts=[], state=state)
    await world.tell(play, world.role(), world.user(), world.first_admin(), world.customer())
    await world.settle()

    mail, row = mail_server.to(ADA), (await world.mails())[ADA]
    assert str(mail["Subject"]).startswith("[Sandbox] ")
    assert mail["Partnerdeck-Sandbox"] == "yes"
    assert mail["Date"].datetime == made_at(row.id).replace(microsecond=0)


@pytest.mark.parametrize(
    "company",
    [
        "Mill\r\nBcc: everybody@example.com",
        "Mill\nX-Evil: 1",
        "=?utf-8?q?Mill=0D=0ABcc=3A_everybody=40example.com?=",
        "=?utf-8?b?TWlsbA0KQmNjOiBldmVyeWJvZHlAZXhhbXBsZS5jb20=?=",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3FMill=3D0D=3D0ABcc=3Dx=3F=3D?=",
        "=?no-such-charset?q?x?=",
        "Mill\u2028Bcc: everybody@example.com",
    ],
)
async def test_a_name_cannot_become_a_header(world: "World", mail_server: "MailServer", company: str) -> None:
    await world.tell(*world.everybody(), world.customer(company=company))
    await world.settle()

    assert mail_server.recipients == []
    assert await world.facts() == [
        NotificationFailed(template="welcome", recipient="customer", reason="header_refused"),
        NotificationFailed(template="welcome", recipient="partner", reason="header_refused"),
    ]


async def test_a_name_cannot_become_markup(world: "World", mail_server: "MailServer") -> None:
    company = '<script>alert(1)</script>{partner}{{7*7}}"><img src=x>'
    await world.tell(*world.everybody(), world.customer(company=company))
    await world.settle()

    html = mail_server.to(ADA).get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{partner}{{7*7}}" in html


async def test_a_support_address_that_is_no_web_address_is_no_link(world: "World", mail_server: "MailServer") -> None:
    support = SupportInfo(support_url="javascript:alert(1)")
    await world.tell(world.partner(support=support), world.role(), world.user(), world.first_admin(), world.customer())
    await world.settle()

    assert 'href="javascript' not in mail_server.to(ADA).get_body(("html",)).get_content()


@pytest.mark.parametrize(
    "company", ["Müllerei & Söhne", "株式会社テスト", "Ελληνική Λέσχη", "شركة", 'O\'Brien "Quotes" Ltd., Inc.', "x" * 200]
)
async def test_names_of_every_script_arrive_as_they_are(world: "World", mail_server: "MailServer", company: str) -> None:
    await world.tell(world.partner(), world.role(), world.user(), world.first_admin(name='Ądä, "Łove" 愛'), world.customer(company=company))
    await world.settle()

    mail = mail_server.to(ADA)
    assert company in mail["Subject"]
    assert mail["To"].addresses[0].display_name == 'Ądä, "Łove" 愛'
    assert company in mail.get_body(("plain",)).get_content()
    assert all(raw.partition(b"\r\n\r\n")[0].isascii() for raw in mail_server.raw)


async def test_whoever_was_disabled_meanwhile_is_not_mailed(world: "World", mail_server: "MailServer") -> None:
    mail_server.answers = ["451 later"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.tell(world.first_admin(status="disabled"))
    await world.later()

    assert mail_server.recipients == [PAULA]
    assert NotificationSuppressed(template="welcome", recipient="customer", rule="recipient_gone") in await world.facts()


async def test_a_customer_that_ended_meanwhile_is_not_mailed(world: "World", mail_server: "MailServer") -> None:
    mail_server.answers = ["451 later", "451 later"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    await world.tell(world.customer(status="deleted"))
    await world.later()

    assert mail_server.recipients == []
    assert {row.reason for row in (await world.mails()).values()} == {"customer_not_active"}


async def test_every_mail_is_told_once_with_versions_that_begin_at_one(world: "World") -> None:
    await world.tell(*world.everybody(), world.customer(mode="partner_only"))
    await world.settle()

    rows = await world.query("select entity, headers from outbox order by id")
    assert [dict(row.headers)["ce_aggregateversion"] for row in rows] == ["1", "1"]
    assert {dict(row.headers)["ce_customerid"] for row in rows} == {str(world.customer_id)}


class _Killed:
    """A due worker whose transaction is lost after everything in it has happened."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def work_one(self) -> None:
        worker = self._world.due
        async with self._world.database.work() as work:
            row = await worker._claim(work)
            assert row is not None
            await worker._attempt(work, row)
            raise ConnectionAbortedError


async def _until_written(world: "World") -> None:
    """Work off what is due until a mail is to be sent next."""
    while True:
        async with world.database.work() as work:
            kinds = (await work.session.execute(text("select kind from due order by retry_at, id"))).scalars().all()
        if kinds[0] == "mail.send":
            return
        await world.due.work_one()


def _replaced(desk: Desk, **changes: Any) -> Server:
    return replace(desk.server, **changes)
