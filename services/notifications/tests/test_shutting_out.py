"""Whoever is shut out is told so, once, in the reader's language (MKT-05)."""

from typing import TYPE_CHECKING

from chassis.ids import new_id
from contracts.root import ROOT_PARTNER_ID

if TYPE_CHECKING:
    from .conftest import World


async def test_a_customers_partner_is_told_once_that_it_has_closed_itself(world: "World") -> None:
    here = world.customer(welcome=False)
    await world.tell(*world.everybody(), here)
    closed = here.model_copy(update={"state": here.state.model_copy(update={"shut_out_at": world.clock.now()})})

    await world.tell(closed)
    await world.tell(closed)
    await world.settle()

    (mail,) = await world.query("select template, recipient, state from mails")
    assert (mail.template, mail.recipient, mail.state) == ("shut_out_by_customer", "partner", "sent")


async def test_those_above_a_partner_are_told_and_the_operator_is_not(world: "World") -> None:
    await world.tell(*world.everybody())
    above, below = world.partner_id, world.partner()
    gone = {"id": new_id(), "name": "Berg IT", "parent_id": above, "ancestors": [ROOT_PARTNER_ID, above]}
    closed = below.model_copy(update={"state": below.state.model_copy(update=gone | {"shut_out": True, "shut_out_at": world.clock.now()})})

    await world.tell(closed)
    await world.settle()

    (mail,) = await world.query("select partner_id, template, subject from mails")
    assert (mail.partner_id, mail.template) == (above, "shut_out_by_partner")
    assert "Berg IT" in mail.subject
