"""Whatever a user changes, is denied, or looks at in another's name leaves an entry with who, what, where from and which fields (GW-11)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from house import houses
from house.auditing import entries, sealed, verified
from house.houses import House
from house.painting import Street, street
from sqlalchemy import update

from chassis.access import tables
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis.jobs import running
from chassis_testing.clock import FixedClock
from contracts.any.audit import AuditRecorded
from contracts.records import PERSONAL


@pytest.fixture
async def here(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Street]:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)  # nobody relays here
    async with street(api_database, worker_database, clock) as made:
        yield made


async def told(here: Street) -> list[AuditRecorded]:
    return [AuditRecorded.model_validate_json(one) for one in await here.facts("audit.recorded")]


async def test_a_change_says_who_what_and_from_what_to_what(here: Street, api_database: ApiDatabase) -> None:
    async with api_database.change(here.principal) as tx:
        house = await houses.build(tx, "Villa")
    async with api_database.change(here.principal) as tx:
        await houses.rename(tx, house.id, "Palace")

    made, renamed = await entries(here.database)
    assert (made["subject_type"], made["subject_id"], made["customer_id"]) == ("house", house.id, house.customer_id)
    assert (made["fields"], json.loads(made["before"])) == (["customer_id", "name"], {})
    who = (here.principal.user_id, "partner", here.principal.partner_id, None)
    assert (renamed["user_id"], renamed["user_kind"], renamed["user_partner_id"], renamed["acting_as"]) == who
    assert (renamed["facts"], renamed["fields"], renamed["outcome"]) == (["house.built"], ["name"], "done")
    assert (json.loads(renamed["before"]), json.loads(renamed["after"])) == ({"name": "Villa"}, {"name": "Palace"})


async def test_what_is_told_of_it_has_names_and_no_values(here: Street, api_database: ApiDatabase) -> None:
    """The topic is kept for 400 days, so nothing personal may stand in it."""
    async with api_database.change(here.principal) as tx:
        house = await houses.build(tx, "Ada's")

    (record,) = await told(here)
    assert (record.subject_type, record.subject_id, record.facts) == ("house", house.id, ["house.built"])
    assert "Ada" not in (await here.facts("audit.recorded"))[0]
    assert not any(PERSONAL in member.metadata for member in AuditRecorded.model_fields.values())


async def test_what_a_hot_statement_changed_is_said_by_its_fact(here: Street, api_database: ApiDatabase) -> None:
    (house_id,) = await here.built("Villa")
    async with api_database.change(here.principal) as tx:
        renamed = await tx.session.execute(
            update(House).where(House.partner_id == tx.partner_id).values(name="Palace", version=House.version + 1).returning(House)
        )
        await houses.tell(tx, renamed.scalar_one())

    (entry,) = await entries(here.database)
    assert (str(entry["subject_id"]), entry["fields"], json.loads(entry["after"])) == (house_id, ["name"], {"name": "Palace"})


async def test_a_change_that_is_undone_leaves_nothing(here: Street, api_database: ApiDatabase) -> None:
    async def give_up() -> None:
        async with api_database.change(here.principal) as tx:
            await houses.build(tx, "Villa")
            raise LookupError

    with pytest.raises(LookupError):
        await give_up()
    assert await entries(here.database) == []


async def test_a_request_is_named_with_its_id_and_the_callers_address(here: Street) -> None:
    await here.post("/v1/houses/paint", {"houses": []}, x_request_id="r-1", x_forwarded_for="203.0.113.7")

    (entry,) = await entries(here.database)
    assert (entry["operation"], entry["request_id"], entry["address"]) == ("houses_paint_some", "r-1", "203.0.113.7")
    assert (entry["subject_type"], entry["outcome"]) == ("job", "done")


async def test_an_address_that_is_none_is_not_believed(here: Street) -> None:
    await here.post("/v1/houses/paint", {"houses": []}, x_forwarded_for="<script>")

    assert [one["address"] for one in await entries(here.database)] == [None]


async def test_what_was_not_allowed_is_there_and_changed_nothing(here: Street) -> None:
    clerk = await here.a_user(permissions=())

    assert (await clerk.post("/v1/houses/paint", {"houses": []}, x_request_id="r-2")).status_code == 403

    (entry,) = await entries(here.database)
    assert (entry["outcome"], entry["code"], entry["operation"]) == ("denied", "not_allowed", "houses_paint_some")
    assert (entry["user_id"], entry["request_id"]) == (clerk.principal.user_id, "r-2")
    assert [(one.outcome, one.code) for one in await told(here)] == [("denied", "not_allowed")]


async def test_a_refusal_by_a_rule_is_no_denial(here: Street) -> None:
    assert (await here.post("/v1/houses/paint", {"houses": [str(new_id()) for _ in range(2001)]})).status_code == 422

    assert await entries(here.database) == []


async def below(here: Street, **more: Any) -> Street:
    """The same user acting as a partner below its own."""
    partner = new_id()
    row = {"ancestors": [here.principal.partner_id], "status": "active", "shut_out": False} | more
    await here.put(tables.partners, partner_id=partner, id=partner, **row)
    return replace(here, principal=replace(here.principal, acting_as=partner))


async def test_acting_as_another_shows_both_even_where_it_only_looks(here: Street) -> None:
    """Requirements 7: every such request is audited with both identities."""
    acting = await below(here)
    header = {"partnerdeck_acting_as": str(acting.principal.acting_as)}
    started = await acting.post("/v1/houses/paint", {"houses": []}, **header)
    looked = await acting.client.get(started.headers["location"], headers=acting.headers(**header))
    assert (started.status_code, looked.status_code) == (202, 200)

    for entry in await entries(here.database):
        assert (entry["partner_id"], entry["acting_as"]) == (acting.principal.acting_as,) * 2
        assert (entry["user_id"], entry["user_partner_id"]) == (here.principal.user_id, here.principal.partner_id)
    assert [one.operation for one in await told(here)] == ["houses_paint_some", "jobs_get"]


async def test_acting_as_whom_one_may_not_is_denied_and_kept_with_ones_own_partner(here: Street) -> None:
    shut = await below(here, shut_out=True)
    answer = await shut.post("/v1/houses/paint", {"houses": []}, partnerdeck_acting_as=str(shut.principal.acting_as))
    assert answer.status_code == 404

    (entry,) = await entries(here.database)
    assert (entry["partner_id"], entry["code"]) == (here.principal.partner_id, "partner_not_found")
    assert (entry["subject_type"], entry["subject_id"]) == ("partner", shut.principal.acting_as)


async def test_every_item_of_a_job_is_audited_in_the_name_of_who_started_it(here: Street) -> None:
    chosen = await here.built(*["house"] * 120, "listed")
    answer = await here.post("/v1/houses/paint", {"houses": chosen}, x_request_id="r-3")
    assert answer.status_code == 202
    await here.worked()

    painted = await entries(here.database, subject_type="house")
    assert [str(one["subject_id"]) for one in painted] == chosen[:-1]
    assert {(one["operation"], one["user_id"], one["request_id"]) for one in painted} == {
        ("licensing.paint", here.principal.user_id, "r-3")
    }
    assert {tuple(one["fields"]) for one in painted} == {("name",)}
    assert await sealed(here.database) == 121
    assert (await verified(here.database)).findings == []


async def test_what_nobody_asked_for_is_in_nobodys_audit(here: Street) -> None:
    await here.built("house")
    here.clock.move(timedelta(days=1))

    assert await entries(here.database) == []
