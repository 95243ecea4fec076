"""A contact is mailed what its customer is asked, in the asking partner's name; who asked is told what came of it (CUS-43, CUS-48)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from chassis.consumers.parking import Raw
from chassis.ids import new_id
from chassis.links import link_token
from chassis_testing import told
from contracts.customers.consents import Addressee, ConsentRecorded
from contracts.customers.imports import CustomerImportDeclined, CustomerImported, CustomerImportExpired
from contracts.envelope import encode
from contracts.notifications.notifications import NotificationSent
from contracts.records import Record
from contracts.root import ROOT_PARTNER_ID

if TYPE_CHECKING:
    from .conftest import MailServer, World

ADA = "ada@muellerei.example"
PAULA = "paula@hafen.example"
CONSENT = UUID("01936b00-0000-7000-8000-00000000c0de")
LINK = f"https://deck.example.com/consent#lang=en&token={link_token(b'a key that customers and notifications share', CONSENT)}"


def recorded(world: "World", kind: Any, state: Any = "requested", **more: Any) -> ConsentRecorded:
    ask = Addressee(company="Müllerei Söhne GmbH", name="Ada Lovelace", email=ADA, language="en") if state == "requested" else None
    said: dict[str, Any] = {
        "kind": kind,
        "state": state,
        "scope": {"management_type": "partner_managed"},
        "asked_by_partner_id": world.partner_id,
        "asked_by": world.administrator_id,
        "asked_at": world.clock.now(),
        "expires_at": world.clock.now() + timedelta(days=90),
        "number": 1,
        "hash": "00",
        "ask": ask,
    }
    return ConsentRecorded(**said | more)


def raw(world: "World", record: Record, *, partner_id: UUID | None = None, subject: UUID = CONSENT, customer: bool = True) -> Raw:
    envelope = told.an_envelope(
        record,
        subject=subject,
        partner_id=partner_id or world.partner_id,
        customer_id=world.customer_id if customer else None,
        version=next(world._versions),
        at=world.clock.now(),
    )
    return world._placed(record.topic, str(subject), encode(envelope), record.payload())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("management_change", "your own users would no longer sign in"),
        ("console_launch", "sign in to the console of Müllerei Söhne GmbH"),
        ("import", "asks to manage the account of Müllerei Söhne GmbH"),
    ],
)
async def test_the_contact_is_asked_once_in_the_partners_name_with_its_support(
    world: "World", mail_server: "MailServer", kind: str, says: str
) -> None:
    """CUS-43, CUS-48, CUS-75."""
    await world.tell(world.partner(), world.customer())
    root = ROOT_PARTNER_ID if kind == "import" else None
    asked = raw(world, recorded(world, kind), partner_id=root, customer=root is None)
    for _ in range(2):
        await world.deliver(asked)
        await world.settle()

    body = mail_server.body(ADA, "plain")
    assert LINK in body
    assert says in body
    assert "Hafen IT" in mail_server.to(ADA)["Subject"]
    assert "help@hafen.example" in body
    assert LINK in mail_server.body(ADA, "html").replace("&amp;", "&")


async def test_a_question_goes_out_also_where_the_partner_manages_all_communication(world: "World", mail_server: "MailServer") -> None:
    """CUS-58: its partner issues it, and nobody else can answer it."""
    await world.tell(world.partner(), world.customer(mode="partner_only"))
    await world.deliver(raw(world, recorded(world, "management_change")))
    await world.settle()

    assert mail_server.recipients == [ADA]


async def test_a_question_that_is_settled_goes_nowhere_any_more(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.customer())
    await world.deliver(raw(world, recorded(world, "management_change")), raw(world, recorded(world, "management_change", "superseded")))
    await world.settle()

    assert mail_server.recipients == []


async def test_nothing_stays_of_the_question_of_an_import_once_it_is_settled(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.customer())
    await world.deliver(raw(world, recorded(world, "import"), partner_id=ROOT_PARTNER_ID, customer=False))
    await world.settle()
    assert mail_server.recipients == [ADA]

    await world.deliver(raw(world, recorded(world, "import", "expired"), partner_id=ROOT_PARTNER_ID, customer=False))

    assert await world.mails() == {}


@pytest.mark.parametrize(
    ("state", "says"),
    [("granted", "was confirmed by the customer"), ("declined", "was declined by the customer"), ("expired", "was not answered in time")],
)
async def test_who_asked_is_told_what_came_of_it(world: "World", mail_server: "MailServer", state: str, says: str) -> None:
    await world.tell(world.partner(), world.role(), world.user(), world.customer())
    await world.deliver(raw(world, recorded(world, "management_change", state)))
    await world.settle()

    mail = mail_server.to(PAULA)
    assert mail["Subject"] == f"Müllerei Söhne GmbH: the change of management {says}"
    assert await world.facts() == [NotificationSent(template="consent_outcome", recipient="partner", message_id=mail["Message-ID"])]


async def test_who_took_a_question_back_is_not_told_so(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.user(), world.customer())
    for state in ("revoked", "superseded"):
        await world.deliver(raw(world, recorded(world, "console_launch", state)))
    await world.settle()

    assert mail_server.recipients == []


async def test_who_asked_for_an_import_is_told_how_it_ended(world: "World", mail_server: "MailServer") -> None:
    """CUS-44, CUS-45."""
    await world.tell(world.partner(), world.user())
    said: dict[str, Any] = {"email": ADA, "requested_by": world.administrator_id}
    ended: list[Record] = [
        CustomerImported(import_id=new_id(), owner_partner_id=new_id(), **said),
        CustomerImportDeclined(reason="customer", **said),
        CustomerImportDeclined(reason="duplicate_company", **said),
        CustomerImportExpired(**said),
    ]
    for one in ended:
        await world.deliver(raw(world, one, subject=new_id(), customer=isinstance(one, CustomerImported)))
        await world.settle()

    assert [str(mail["Subject"]).removeprefix(f"{ADA}: the import ") for mail in mail_server.received] == [
        "was confirmed by the customer",
        "was declined by the customer",
        "cannot be carried out: you have this company as a customer already",
        "was not answered in time",
    ]
