"""A customer that requires a firmware update is told to fetch it, once, and its partner gets a copy (NOT-17, CUS-67)."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from chassis.consumers.parking import Raw
from chassis.ids import new_id
from chassis_testing import told
from contracts.envelope import encode
from contracts.licensing.firmware import FirmwareUpdateFinished, FirmwareUpdateRequested
from contracts.notifications.notifications import NotificationSent, NotificationSuppressed
from contracts.records import Record

if TYPE_CHECKING:
    from .conftest import MailServer, World

GRETE = "g@muellerei.example"
PAULA = "paula@hafen.example"
REQUESTED = FirmwareUpdateRequested(product="cloud-edge", product_name="Cloud Edge", appliances=2, endpoint_ids=[new_id(), new_id()])


def raw(world: "World", record: Record, update_id: UUID) -> Raw:
    about: dict[str, Any] = {"subject": update_id, "partner_id": world.partner_id, "customer_id": world.customer_id}
    envelope = told.an_envelope(record, version=next(world._versions), at=world.clock.now(), **about)
    return world._placed(record.topic, str(world.customer_id), encode(envelope), record.payload())


@pytest.mark.parametrize("managed", ["partner_managed", "co_managed"])
async def test_the_contact_is_told_once_in_its_language_and_the_partner_gets_a_copy(
    world: "World", mail_server: "MailServer", managed: Any
) -> None:
    """NOT-17, CUS-05, CUS-75: also where nobody at the customer signs in (CUS-52), for nobody needs to."""
    await world.tell(*world.everybody(), world.customer(welcome=False, managed=managed))
    requested = raw(world, REQUESTED, new_id())
    for _ in range(2):
        await world.deliver(requested)
        await world.settle()

    assert sorted(mail_server.recipients) == [GRETE, PAULA]
    assert mail_server.to(GRETE)["Subject"] == "Müllerei Söhne GmbH: Ein Firmware-Update für Cloud Edge steht bereit"
    body = mail_server.body(GRETE, "plain")
    assert "2 Ihrer Geräte mit Cloud Edge brauchen ein Firmware-Update." in body
    assert "help@hafen.example" in body
    assert mail_server.to(PAULA)["Subject"] == "Copy: Müllerei Söhne GmbH: a firmware update for Cloud Edge is ready"
    assert "was written to Grete (g@muellerei.example)" in mail_server.body(PAULA, "plain")
    assert [type(one) for one in await world.facts()] == [NotificationSent] * 2


async def test_where_the_partner_manages_all_communication_it_alone_is_mailed(world: "World", mail_server: "MailServer") -> None:
    """NOT-17, CUS-58: what the customer is not told is written down with its rule."""
    await world.tell(*world.everybody(), world.customer(welcome=False, mode="partner_only"))
    await world.deliver(raw(world, REQUESTED, new_id()))
    await world.settle()

    assert mail_server.recipients == [PAULA]
    assert "You manage all communication with Müllerei Söhne GmbH" in mail_server.body(PAULA, "plain")
    assert [one.rule for one in await world.facts() if isinstance(one, NotificationSuppressed)] == ["CUS-58"]


async def test_who_requires_the_update_no_more_is_not_told(world: "World", mail_server: "MailServer") -> None:
    """NOT-17: neither by a notice that is not written yet, nor by a mail that waits."""
    await world.tell(*world.everybody(), world.customer(welcome=False))
    early, late = new_id(), new_id()
    finished = FirmwareUpdateFinished(product="cloud-edge", outcome="updated", requested_at=world.clock.now())
    await world.deliver(raw(world, REQUESTED, early), raw(world, finished, early), raw(world, REQUESTED, late))
    while not await world.mails():
        assert await world.due.work_one()
    await world.deliver(raw(world, finished, late))

    await world.settle()

    assert mail_server.received == []
    assert [one.rule for one in await world.facts() if isinstance(one, NotificationSuppressed)] == ["update_not_required"] * 2


async def test_a_customer_that_is_not_known_yet_is_waited_for(world: "World", mail_server: "MailServer") -> None:
    await world.deliver(raw(world, REQUESTED, new_id()))
    await world.settle()
    await world.tell(*world.everybody(), world.customer(welcome=False))

    await world.later()

    assert sorted(mail_server.recipients) == [GRETE, PAULA]


async def test_it_goes_to_nobody_once_the_customer_is_at_rest(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), world.customer(welcome=False, status="disabled"))
    await world.deliver(raw(world, REQUESTED, new_id()))
    await world.settle()

    assert mail_server.received == []
