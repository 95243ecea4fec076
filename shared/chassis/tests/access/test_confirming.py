"""A change of rights takes effect within five seconds, whatever is slow or broken; what nobody confirms is refused, or read for a minute.

A service uses what it knows while its oldest beat is young, and asks customers otherwise.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from house.confirming import KEY, World

from chassis.access import tables
from chassis.access.confirming import Confirming
from chassis.http.admission import Admission, Needs, Wanted
from chassis.http.calls import Rails
from chassis.http.consistency import Mark
from chassis.http.patience import LONGEST, PAUSE
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Verifier
from chassis_testing.waiting import eventually

YOUNG, OLD, STALE = timedelta(seconds=4.9), timedelta(seconds=5), timedelta(seconds=60)
UNCONFIRMED = (503, "access_unconfirmed")


async def answered(asked: object) -> tuple[int, str | None]:
    answer = await asked  # type: ignore[misc]
    return answer.status_code, answer.json().get("code") if answer.is_error else None


async def test_while_the_oldest_beat_is_young_nobody_is_asked(world: World) -> None:
    await world.beaten(YOUNG)

    assert (await world.post()).status_code == 201
    assert (await world.get()).text == "Villa"
    assert world.customers.asked == 0


async def test_a_role_edit_takes_effect_though_nothing_arrives_any_more(world: World) -> None:
    """The broker is away: what this service follows stands still, and customers is asked instead."""
    assert (await world.post()).status_code == 201
    await world.edit_role(permissions=[], all_customers="none")
    await world.beaten(OLD)

    assert await answered(world.post("Cottage")) == (403, "not_allowed")
    assert (await world.get()).text == ""


LEVELS: tuple[tuple[dict[str, object], str], ...] = (
    ({"all_customers": "none"}, ""),
    ({"all_customers": "none", "tags": {"vip": "read"}}, "Villa"),
    ({"tags": {"vip": "none"}}, ""),
    ({"default_level": "read", "tags": {"none": "none"}}, "Villa"),
    ({"customers": "none"}, ""),
    ({"all_customers": "none", "customers": "read"}, "Villa"),
)


async def test_lists_leave_out_what_the_roles_hide_of_which_customers_tells(world: World) -> None:
    """CUS-85 to CUS-91: the same rules, whether the roles were followed or asked for."""
    await world.post()
    for levels, seen in LEVELS:
        asker = replace(world.user, session_id=new_id())
        plain: dict[str, object] = {"all_customers": None, "default_level": "read_write", "customers": {}, "tags": {}}
        named = {name: {str(world.customer_id): level} if name == "customers" else level for name, level in levels.items()}
        for site in world.sites:
            await site.change(tables.roles, world.role_id, **plain)
        await world.edit_role(**named)
        await world.beaten(OLD)
        told = (await world.get(asker)).text
        await world.here.change(tables.roles, world.role_id, **named)
        await world.beaten(YOUNG)

        assert (told, (await world.get(asker)).text) == (seen, seen), levels


async def test_a_user_of_whom_nothing_has_arrived_is_asked_for_at_once(world: World) -> None:
    new = Principal(kind="partner", user_id=new_id(), partner_id=world.user.partner_id, gen=1)
    row = {"partner_id": new.partner_id, "id": new.user_id, "kind": "partner", "status": "active", "gen": 1}
    await world.customers.site.put(tables.users, **row, role_ids=[world.role_id])

    assert (await world.post(principal=new)).status_code == 201
    assert (await world.get(new)).text == "Villa"


async def test_a_new_user_waits_for_its_own_write_no_more_eagerly_than_others(world: World) -> None:
    """BEY-09: asked once who it is, it looks every now and then and does not spin."""
    new = Principal(kind="partner", user_id=new_id(), partner_id=world.user.partner_id, gen=1)
    row = {"partner_id": new.partner_id, "id": new.user_id, "kind": "partner", "status": "active", "gen": 1}
    await world.customers.site.put(tables.users, **row, role_ids=[world.role_id])
    never = [("access_users", Mark("user", new.user_id, 9))]
    needs = Needs(permission=None, kinds=frozenset({"partner"}))
    wanted = Wanted(needs=needs, customer=None, write=False, strict=False, marks=never)
    admission = Admission(Confirming(world.freshness, world.asking), new, world.headers(new), wanted)
    turns, rights = 0, None

    await admission.confirm()
    while rights is None:
        turns += 1
        async with world.here.api.read(new) as read:
            rights = await admission.enter(read.connection)
        if rights is None:
            await admission.wait()

    assert admission.behind
    assert turns <= LONGEST / PAUSE + 2


async def test_a_token_that_is_newer_than_what_is_known_is_asked_about(world: World) -> None:
    newer = replace(world.user, gen=2)
    await world.customers.site.change(tables.users, world.user.user_id, gen=2)

    assert (await world.post(principal=newer)).status_code == 201


@pytest.mark.parametrize("ended", [{"gen": 2}, {"status": "disabled"}])
async def test_an_ended_sign_in_ends_here_though_nothing_arrives_any_more(world: World, ended: dict[str, object]) -> None:
    """A password change or a sign-out everywhere raises the generation, and every token from before is worth nothing."""
    await world.customers.site.change(tables.users, world.user.user_id, **ended)
    await world.beaten(OLD)

    assert await answered(world.post()) == (401, "access_ended")
    assert await answered(world.get()) == (401, "access_ended")


async def test_when_customers_is_away_too_changes_are_refused_and_reading_goes_on_for_a_minute(world: World) -> None:
    await world.post()
    await world.customers.leave()
    await world.beaten(OLD)

    refused = await world.post("Cottage")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "access_unconfirmed", "1")
    assert refused.json()["remedy"]
    assert (await world.get()).text == "Villa"
    assert await answered(world.get(exporting=True)) == UNCONFIRMED

    await world.beaten(STALE - timedelta(seconds=0.1))
    assert (await world.get()).text == "Villa"
    await world.beaten(STALE)
    assert await answered(world.get()) == UNCONFIRMED


async def test_nobody_goes_by_a_topic_of_which_no_beat_was_heard(world: World) -> None:
    """One partition without a beat is as old as nothing is."""
    await world.customers.leave()
    async with world.here.worker.direct() as connection:
        await connection.execute("insert into progress (consumer, topic, partition) values ('licensing.access', 'role.changed', 1)")
    await world.freshness.look()

    assert await answered(world.get()) == UNCONFIRMED


async def test_who_is_not_known_and_can_not_be_asked_for_is_not_let_in(world: World) -> None:
    await world.customers.leave()

    assert await answered(world.get(replace(world.user, user_id=new_id()))) == UNCONFIRMED


async def test_a_newer_token_reads_by_older_rights_where_customers_is_away(world: World) -> None:
    newer = replace(world.user, gen=2)
    await world.customers.leave()

    assert (await world.get(newer)).status_code == 200
    assert await answered(world.post(principal=newer)) == UNCONFIRMED
    assert await answered(world.get(newer, exporting=True)) == UNCONFIRMED


async def test_a_hundred_requests_at_once_make_one_question(world: World) -> None:
    world.be_patient()
    await world.beaten(OLD)
    world.customers.hearing.clear()
    waiting = [asyncio.create_task(world.get()) for _ in range(100)]

    async def asked() -> bool:
        return world.customers.asked > 0

    await eventually(asked)
    world.customers.hearing.set()

    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    assert world.customers.asked == 1


async def test_whoever_leaves_while_customers_is_asked_spoils_the_answer_for_nobody(world: World) -> None:
    world.be_patient()
    await world.beaten(OLD)
    world.customers.hearing.clear()
    first, second = asyncio.create_task(world.get()), asyncio.create_task(world.get())

    async def asked() -> bool:
        return world.customers.asked > 0

    await eventually(asked)
    first.cancel()
    world.customers.hearing.set()

    assert (await second).status_code == 200
    assert world.customers.asked == 1


async def test_an_answer_is_good_for_a_second(world: World) -> None:
    await world.beaten(OLD)
    assert (await world.post()).status_code == 201
    await world.edit_role(permissions=[])

    async def refused() -> bool:
        return (await world.post("Cottage")).status_code == 403

    await eventually(refused)
    assert world.customers.asked > 1


async def test_whoever_waits_for_a_deaf_customers_holds_no_connection(world: World) -> None:
    """Meanwhile the database serves others, of whom it knows enough."""
    world.be_patient()
    world.customers.hearing.clear()
    strangers = [replace(world.user, user_id=new_id()) for _ in range(40)]
    waiting = [asyncio.create_task(world.get(one)) for one in strangers]

    async def all_asked() -> bool:
        return world.customers.asked == len(strangers)

    await eventually(all_asked, within=30)
    assert (await world.post()).status_code == 201
    assert not any(one.done() for one in waiting)
    world.customers.hearing.set()
    assert {(await one).status_code for one in waiting} == {401}


async def test_a_deaf_customers_is_not_waited_for_longer_than_a_second(world: World) -> None:
    await world.beaten(OLD)
    world.customers.hearing.clear()

    assert await answered(world.post()) == UNCONFIRMED
    world.customers.hearing.set()


async def test_a_customers_that_does_not_know_the_question_is_as_good_as_away(world: World) -> None:
    await world.beaten(OLD)
    await world.customers.leave()
    await world.customers.start(rails_of(world), routers=[])

    assert (await world.get()).status_code == 200
    assert await answered(world.post()) == UNCONFIRMED


async def test_what_customers_thinks_of_a_token_is_said_here(world: World) -> None:
    await world.beaten(OLD)
    await world.customers.leave()
    await world.customers.start(replace(rails_of(world), verifier=Verifier(KeySet())))

    assert await answered(world.get()) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("age", "where", "code"), [(YOUNG, "here", "access_ended"), (OLD, "customers", "access_ended"), (OLD, "nowhere", "access_unconfirmed")]
)
async def test_a_stream_ends_when_its_reader_may_read_no_longer(world: World, age: timedelta, where: str, code: str) -> None:
    """Long work looks again every two seconds, by what is known here or by what customers says."""
    await world.beaten(age)
    watching = asyncio.create_task(world.client.get("/v1/houses/watched", headers=world.headers()))

    async def begun() -> bool:
        return bool(world.streamed)

    await eventually(begun)
    if where == "nowhere":
        await world.customers.leave()
    else:
        site = world.here if where == "here" else world.customers.site
        await site.change(tables.users, world.user.user_id, status="disabled")

    async with asyncio.timeout(15):
        assert (await watching).text.lstrip(".") == code


def rails_of(world: World) -> Rails:
    return Rails(database=world.customers.site.api, verifier=Verifier(KeySet([KEY])), clock=world.clock)


async def test_acting_as_a_partner_is_asked_for_too(world: World) -> None:
    below, closed = new_id(), new_id()
    for site in world.sites:
        for partner, shut_out in ((below, False), (closed, False)):
            row = {"partner_id": partner, "id": partner, "ancestors": [world.user.partner_id], "status": "active"}
            await site.put(tables.partners, **row, shut_out=shut_out)
    await world.customers.site.change(tables.partners, closed, shut_out=True)
    await world.beaten(OLD)

    assert (await world.get(partnerdeck_acting_as=str(below))).status_code == 200
    assert await answered(world.get(partnerdeck_acting_as=str(closed))) == (404, "partner_not_found")
