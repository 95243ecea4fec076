"""Both sides of a change of address are written to: the new one to confirm it, the old one to take it back (CUS-77, GW-01)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chassis.ids import new_id
from chassis.links import link_token
from contracts.customers.users import EmailChange

if TYPE_CHECKING:
    from .conftest import MailServer, World

KEY = b"a key that customers and notifications share"
OLD, NEW = "paula@hafen.example", "paula.new@hafen.example"


def a_change(world: "World", **said: Any) -> EmailChange:
    values = {"id": world.link_id, "undo_id": new_id(), "old": OLD, "new": NEW, "confirmed": False}
    return EmailChange(**values | {"until": world.clock.now() + timedelta(days=1)} | said)


async def test_the_new_address_is_asked_to_confirm_and_the_old_one_is_told_once_it_has(world: "World", mail_server: "MailServer") -> None:
    change = a_change(world)
    for _ in range(2):
        await world.tell(world.partner(), world.user(email_change=change))
        await world.settle()
    assert mail_server.recipients == [NEW]
    assert f"/welcome#do=email&lang=en&token={link_token(KEY, change.id)}" in mail_server.body(NEW, "plain")

    await world.tell(world.user(email=NEW, email_change=change.model_copy(update={"confirmed": True})))
    await world.settle()

    assert mail_server.recipients == [NEW, OLD]
    assert f"/welcome#do=undo&lang=en&token={link_token(KEY, change.undo_id)}" in mail_server.body(OLD, "plain")
    assert NEW in mail_server.body(OLD, "plain")


async def test_a_change_that_was_replaced_before_its_mail_went_out_is_not_mailed(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.user(email_change=a_change(world)))
    await world.tell(world.user(email_change=a_change(world, id=new_id(), new="paula.newer@hafen.example")))
    await world.settle()

    assert mail_server.recipients == ["paula.newer@hafen.example"]


async def test_who_changes_nothing_is_not_written_to(world: "World", mail_server: "MailServer") -> None:
    await world.tell(world.partner(), world.user())
    await world.settle()

    assert mail_server.recipients == []
