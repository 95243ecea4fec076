"""Before a customer is disabled or deleted its partner's administrators are told, in time and only of what still stands (MKT-19)."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chassis.ids import new_id
from contracts.customers.customers import CustomerChanged, PlannedStage
from contracts.notifications.notifications import NotificationSuppressed

if TYPE_CHECKING:
    from .conftest import MailServer, World

PAULA = "paula@hafen.example"
DAY = timedelta(days=1)


def going(world: "World", *stages: PlannedStage) -> CustomerChanged:
    told = world.customer(welcome=False)
    return CustomerChanged(facts=[], state=told.state.model_copy(update={"stages": [*stages]}))


def a_stage(at: datetime, verb: str = "disable", *, tasks: tuple[str, ...] = ("Call Ada",)) -> PlannedStage:
    return PlannedStage.model_validate({"id": new_id(), "verb": verb, "at": at, "notices": ["P3D", "P1D"], "tasks": [*tasks]})


async def test_each_notice_goes_out_so_long_before_and_says_what_is_still_to_be_done(world: "World", mail_server: "MailServer") -> None:
    at = world.clock.now() + 10 * DAY
    await world.tell(*world.everybody(), going(world, a_stage(at)))
    await world.settle()
    assert mail_server.received == []

    await world.later(by=7 * DAY + timedelta(minutes=1))

    assert mail_server.to(PAULA)["Subject"] == f"Müllerei Söhne GmbH will be disabled on {at.date().isoformat()}"
    assert "Still to be done before: Call Ada." in mail_server.body(PAULA, "plain")
    assert "left_out" not in mail_server.body(PAULA, "html")
    await world.later(by=2 * DAY)
    assert len(mail_server.received) == 2


async def test_what_was_stopped_or_moved_is_not_announced(world: "World", mail_server: "MailServer") -> None:
    at = world.clock.now() + 10 * DAY
    stopped, moved = a_stage(at), a_stage(at, "delete", tasks=())
    await world.tell(*world.everybody(), going(world, stopped, moved))
    await world.tell(going(world, moved.model_copy(update={"at": at + 5 * DAY})))

    await world.later(by=9 * DAY)
    assert mail_server.received == []
    await world.later(by=3 * DAY + timedelta(minutes=1))

    assert mail_server.to(PAULA)["Subject"] == f"Müllerei Söhne GmbH will be deleted on {(at + 5 * DAY).date().isoformat()}"
    assert "Still to be done before: nothing." in mail_server.body(PAULA, "plain")


async def test_one_that_is_stopped_while_its_mail_waits_is_held_back(world: "World", mail_server: "MailServer") -> None:
    await world.tell(*world.everybody(), going(world, a_stage(world.clock.now() + 4 * DAY)))
    world.clock.move(DAY + timedelta(minutes=1))
    while not await world.mails():
        assert await world.due.work_one()
    await world.tell(going(world))

    await world.settle()

    assert mail_server.received == []
    assert [one.rule for one in await world.facts() if isinstance(one, NotificationSuppressed)] == ["stage_changed"]
