"""A partner with an administrator and a customer, as customers tells them, and a real SMTP server that remembers."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import text

from chassis.access.permissions import EVERYDAY, EVERYTHING
from chassis.consumers.batches import Batches
from chassis.consumers.events import Place
from chassis.consumers.parking import Raw
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing import told
from chassis_testing.clock import FixedClock
from contracts.catalogue import BY_TOPIC
from contracts.customers.customers import CommunicationsMode, CustomerChanged, CustomerStatus, FirstAdmin, ManagementType
from contracts.customers.partners import PartnerChanged, PartnerState, SupportInfo
from contracts.customers.roles import RoleChanged, RoleState
from contracts.customers.users import UserChanged, UserState
from contracts.envelope import encode
from contracts.records import Record
from contracts.root import ROOT_PARTNER_ID
from notifications import consumers, due
from notifications.channels.smtp import Server
from notifications.deliveries import Desk
from notifications.rules.links import Links

KEY = b"a key that customers and notifications share"


@pytest.fixture(scope="session")
def service_name() -> str:
    return "notifications"


@pytest.fixture
def clock() -> FixedClock:
    """As late as the database's own clock, which counts the waits between tries."""
    return FixedClock(datetime.now(UTC))


@dataclass
class MailServer:
    """What it answers is said before; what it took is in ``received``, as bytes."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Answers to the next messages; 250 when none is left."""
    recipients: list[str] = field(default_factory=list)
    deaf: bool = False
    """Whether it answers no goodbye."""

    @property
    def received(self) -> Sequence[EmailMessage]:
        return [message_from_bytes(one, policy=policy.default) for one in self.raw]

    def to(self, address: str) -> EmailMessage:
        """The only mail to this address."""
        (mail,) = [one for one in self.received if one["To"].addresses[0].addr_spec == address]
        return mail

    def body(self, address: str, part: str) -> str:
        """What the only mail to this address says, ``plain`` or ``html``."""
        body = self.to(address).get_body((part,))
        assert body is not None
        return str(body.get_content())

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.raw.append(envelope.content)
            self.recipients += envelope.rcpt_tos
        return answer

    async def handle_QUIT(self, _server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.deaf:
            await asyncio.Event().wait()
        return "221 bye"


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    mails = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mails, hostname="mail.example.net", loop=loop), "127.0.0.1", 0)
    mails.port = server.sockets[0].getsockname()[1]
    yield mails
    server.close()
    await server.wait_closed()


@pytest.fixture
def desk(mail_server: MailServer) -> Desk:
    return Desk(
        server=Server(host="127.0.0.1", port=mail_server.port, hostname="partnerdeck.example", timeout=5),
        mail_from="Partnerdeck <no-reply@partnerdeck.example>",
        links=Links(public_url="https://deck.example.com", key=KEY),
    )


class World:
    """One partner with what customers tells of it; ``tell`` delivers, ``settle`` works off what is due."""

    def __init__(self, database: WorkerDatabase, clock: FixedClock, desk: Desk) -> None:
        self.database = database
        self.clock = clock
        self.due = DueWorker(due.kinds(desk), database, clock)
        self.batches = [Batches(database, one, prefix="") for one in consumers.consumers()]
        self.partner_id, self.customer_id, self.link_id = new_id(), new_id(), new_id()
        self.first_admin_id, self.administrator_id = new_id(), new_id()
        self.first_admin_email = "ada@muellerei.example"
        self.administrators_role_id, self.everyday_role_id = new_id(), new_id()
        self._offsets: Iterator[int] = count()
        self._versions: Iterator[int] = count(1)

    def partner(self, *, name: str = "Hafen IT", support: SupportInfo | None = None) -> PartnerChanged:
        state = PartnerState(
            id=self.partner_id,
            name=name,
            country="DE",
            status="active",
            parent_id=ROOT_PARTNER_ID,
            ancestors=[ROOT_PARTNER_ID],
            shut_out=False,
            sandbox=False,
            language="de",
            time_zone="Europe/Berlin",
            support=support
            or SupportInfo(
                purchase_url="https://shop.hafen.example/buy?a=1&b=2",
                support_url="https://help.hafen.example",
                support_email="help@hafen.example",
                support_phone="+49 40 123456",
            ),
            registered_at=self.clock.now(),
        )
        return PartnerChanged(facts=[], state=state)

    def role(self, *, everything: bool = True, predefined: bool = True) -> RoleChanged:
        state = RoleState(
            id=self.administrators_role_id if everything else self.everyday_role_id,
            partner_id=self.partner_id,
            name="Partner Administrator" if everything else "Administrator",
            predefined=predefined,
            permissions=[*(EVERYTHING if everything else EVERYDAY)],
            all_customers="read_write",
            default_level="none",
            customers={},
            tags={},
        )
        return RoleChanged(facts=[], state=state)

    def user(self, user_id: UUID | None = None, **changes: Any) -> UserChanged:
        """The partner's administrator, or somebody else of the partner."""
        state = UserState(
            id=user_id or self.administrator_id,
            partner_id=self.partner_id,
            customer_id=None,
            kind="partner",
            status="active",
            gen=1,
            name="Paula Partner",
            email="paula@hafen.example",
            language="en",
            role_ids=[self.administrators_role_id],
        )
        return UserChanged(facts=[], state=state.model_copy(update=changes))

    def first_admin(self, **changes: Any) -> UserChanged:
        """Who signs in first at the customer."""
        ada = {"customer_id": self.customer_id, "kind": "customer", "status": "invited", "name": "Ada Lovelace", "role_ids": []}
        return self.user(self.first_admin_id, **{**ada, "email": self.first_admin_email, **changes})

    def customer(
        self,
        *,
        status: CustomerStatus = "active",
        mode: CommunicationsMode = "both",
        managed: ManagementType = "co_managed",
        company: str = "Müllerei Söhne GmbH",
        welcome: bool = True,
        link_id: UUID | None = None,
    ) -> CustomerChanged:
        ada = {"user_id": self.first_admin_id, "first_name": "Ada", "last_name": "Lovelace", "email": self.first_admin_email}
        state = told.a_customer(
            self.partner_id,
            id=self.customer_id,
            status=status,
            management_type=managed,
            communications_mode=mode,
            welcome_link_id=(link_id or self.link_id) if welcome else None,
            company=told.a_company(name=company),
            contact=told.a_contact(name="Grete", email="g@muellerei.example", language="de"),
            first_admin=FirstAdmin.model_validate(ada | {"temporary": False}),
        )
        return CustomerChanged(facts=[], state=state)

    def everybody(self) -> list[Record]:
        """All that a welcome needs to know besides the customer."""
        return [self.partner(), self.role(), self.user(), self.first_admin()]

    def raw(self, record: Record, *, event_id: UUID | None = None) -> Raw:
        """The record as Kafka would bring it."""
        state: Any = getattr(record, "state", None)
        subject = state.id if state is not None else self.first_admin_id
        envelope = told.an_envelope(
            record,
            id=event_id or new_id(),
            subject=subject,
            partner_id=self.partner_id,
            customer_id=subject if record.aggregate == "customer" else None,
            version=next(self._versions),
            at=self.clock.now(),
        )
        return self._placed(record.topic, str(subject), encode(envelope), record.payload())

    def tombstone(self, topic: str, entity_id: UUID) -> Raw:
        return self._placed(topic, str(entity_id), [], None)

    def _placed(self, topic: str, key: str, headers: Sequence[tuple[str, bytes]], payload: bytes | None) -> Raw:
        place = Place(topic=topic, partition=0, offset=next(self._offsets))
        return Raw(place=place, key=key.encode(), headers=headers, payload=payload, timestamp_ms=0)

    async def tell(self, *records: Record) -> None:
        await self.deliver(*(self.raw(one) for one in records))

    async def deliver(self, *raws: Raw) -> None:
        """Hand records to every group that follows their topic."""
        for raw in raws:
            for batches in self.batches:
                if raw.place.topic in batches._consumer.topics():
                    await batches.apply([raw])

    async def settle(self) -> None:
        """Work off all that is due now."""
        while await self.due.work_one():
            pass

    async def later(self, *, by: timedelta = timedelta(hours=2)) -> None:
        """Let time pass, and work off what was put off."""
        self.clock.move(by)
        await self.settle()

    async def facts(self) -> list[Record]:
        """What notifications has told, in order."""
        rows = await self.query("select topic, payload from outbox order by id")
        return [BY_TOPIC[row.topic].read(row.payload) for row in rows]

    async def mails(self) -> dict[str, Any]:
        """Every mail by its address."""
        return {row.address: row for row in await self.query("select * from mails")}

    async def change(self, sql: str) -> None:
        async with self.database.work() as work:
            await work.session.execute(text(sql))

    async def query(self, sql: str) -> Sequence[Any]:
        async with self.database.work() as work:
            return (await work.session.execute(text(sql))).all()


@pytest.fixture
def world(worker_database: WorkerDatabase, clock: FixedClock, desk: Desk) -> World:
    return World(worker_database, clock, desk)
