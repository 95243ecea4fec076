"""Mails to a customer's people go with it to its new partner, and none is left when it is purged, wherever it went (C-2)."""

from typing import TYPE_CHECKING

from chassis.ids import new_id
from chassis_testing import told
from contracts.any.erasing import CustomerErased
from contracts.any.releasing import CustomerReleased
from contracts.customers.imports import CustomerImportExpired
from contracts.customers.offboarding import CustomerPurged
from contracts.envelope import encode

if TYPE_CHECKING:
    from .conftest import World


async def test_its_peoples_mails_are_the_new_partners_and_the_copies_are_not(world: "World") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    old, world.partner_id = world.partner_id, new_id()

    await world.tell(world.customer())

    whose = {row.recipient: row.partner_id for row in await world.query("select recipient, partner_id from mails")}
    assert whose == {"customer": world.partner_id, "partner": old}


async def test_while_it_is_being_moved_nothing_goes_to_its_people_and_then_the_new_partner_writes(world: "World") -> None:
    """MKT-02: notifications says that it keeps still, and what was to be written is the new partner's."""
    new = new_id()
    here = world.customer()
    moving = here.model_copy(update={"state": here.state.model_copy(update={"moving_to": new})})
    await world.tell(*world.everybody(), moving)
    await world.settle()

    assert [one.service for one in await world.facts() if isinstance(one, CustomerReleased)] == ["notifications"]
    assert await world.mails() == {}
    world.partner_id = new
    await world.tell(world.partner(), world.first_admin(), world.customer())
    await world.later()

    whose = {row.recipient: row.partner_id for row in await world.query("select recipient, partner_id from mails")}
    assert whose == {"customer": new}


async def test_nothing_is_left_once_its_endings_have_come(world: "World") -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    request_id = new_id()
    expired = CustomerImportExpired(email="ada@mueller.example", requested_by=world.administrator_id)
    of_it = told.an_envelope(expired, version=2, at=world.clock.now(), subject=request_id, partner_id=world.partner_id)
    await world.deliver(world._placed(expired.topic, str(request_id), encode(of_it), expired.payload()))
    assert [row.about["whose"] for row in await world.query("select about from mails where template = 'consent_outcome'")] == [
        expired.email
    ]
    purged = CustomerPurged(user_ids=[world.first_admin_id], request_ids=[request_id])
    about = {"subject": world.customer_id, "customer_id": world.customer_id, "partner_id": world.partner_id}
    said = told.an_envelope(purged, version=9, at=world.clock.now(), **about)

    await world.deliver(world._placed(purged.topic, str(world.customer_id), encode(said), purged.payload()))
    await world.settle()
    assert CustomerErased not in {type(one) for one in await world.facts()}
    await world.deliver(world.tombstone("customer.changed", world.customer_id), world.tombstone("user.changed", world.first_admin_id))
    await world.later()

    erased = [one for one in await world.facts() if isinstance(one, CustomerErased)]
    assert [one.service for one in erased] == ["notifications"]
    assert await world.mails() == {}
    assert await world.query("select * from due") == []
