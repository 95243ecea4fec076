"""Each partner's audit is a chain without a gap, whoever writes at once; whatever is done to it afterwards is found (GW-11, quality 2)."""

import asyncio
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from house import houses
from house.auditing import entries, sealed, tamper, verified
from house.relaying import a_partner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from chassis.audit import verifying
from chassis.audit.commands import audit
from chassis.audit.erasing import erase_values
from chassis.audit.sealing import Sealing
from chassis.audit.walking import walk
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually


async def built(api: ApiDatabase, count: int, partner: object = None, name: str = "Villa") -> None:
    principal = partner or a_partner()
    for _ in range(count):
        async with api.change(principal) as tx:  # type: ignore[arg-type]
            await houses.build(tx, name)


async def test_chains_are_whole_after_writers_of_several_partners_at_once(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    partners = [a_partner() for _ in range(3)]
    sealers = [Sealing(worker_database) for _ in range(2)]
    sealing = [asyncio.create_task(one.run()) for one in sealers]
    await asyncio.gather(*(built(api_database, 25, partner) for partner in partners for _ in range(4)))

    async def all_sealed() -> bool:
        return len([one for one in await entries(worker_database) if one["number"] is not None]) == 300

    await eventually(all_sealed)
    for one in sealers:
        one.stop()
    await asyncio.gather(*sealing)
    report = await verified(worker_database)
    assert (report.entries, report.findings) == (300, [])
    for partner in partners:
        numbers = [one["number"] for one in await entries(worker_database, partner_id=partner.partner_id)]
        assert sorted(numbers) == list(range(1, 101))


async def test_what_is_written_and_sealed_meanwhile_is_no_finding(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    partner = a_partner()
    await built(api_database, 3, partner)
    await sealed(worker_database)

    async def meanwhile(session: AsyncSession, owner: UUID) -> list[str]:
        await built(api_database, 1, partner)
        assert await sealed(worker_database) == 1
        head = (await session.execute(verifying.AUDIT.head, {"owner": owner})).one()
        return [] if head.number == 3 else [f"ends at {head.number} suddenly"]

    async with worker_database.work() as work:
        report = await walk(work.session, dataclasses.replace(verifying.AUDIT, astray=meanwhile))
    assert (report.entries, report.findings) == (3, [])
    assert (await verified(worker_database, report.heads)).entries == 4


async def test_an_entry_that_commits_late_is_linked_later_and_nothing_waits_for_it(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    partner = a_partner()
    async with api_database.change(partner) as late:
        await houses.build(late, "late")
        await late.session.flush()
        await built(api_database, 3, partner)
        assert await sealed(worker_database) == 3
    assert await sealed(worker_database) == 1
    assert (await verified(worker_database)).findings == []


INSERTED = """
insert into audit select (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(), 'number', 4))).*
  from audit a where number = 3
"""
ANOTHER_VALUE = "update audit_values set after = '{}' where audit_id = (select id from audit where number = 3)"
TAMPERINGS = {
    "changed": (["update audit set user_id = gen_random_uuid() where number = 3"], 3),
    "its operation changed": (["update audit set operation = 'houses_admire' where number = 3"], 3),
    "its fields changed": (["update audit set fields = '{}' where number = 3"], 3),
    "removed": (["delete from audit where number = 3"], 4),
    "the last one removed": (["delete from audit where number = 6"], None),
    "reordered": (
        [
            "update audit set number = 99 where number = 2",
            "update audit set number = 2 where number = 3",
            "update audit set number = 3 where number = 99",
        ],
        2,
    ),
    "inserted": (
        [
            "update audit set number = number + 100 where number > 3",
            "update audit set number = number - 99 where number > 100",
            INSERTED,
        ],
        4,
    ),
    "a value changed": ([ANOTHER_VALUE], 3),
    "its end removed": (["delete from audit_heads"], None),
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_tampering_is_found_where_it_was_done(api_database: ApiDatabase, worker_database: WorkerDatabase, how: str) -> None:
    await built(api_database, 6)
    await sealed(worker_database)
    assert (await verified(worker_database)).findings == []
    statements, number = TAMPERINGS[how]

    await tamper(worker_database, statements)

    findings = (await verified(worker_database)).findings
    assert findings
    assert findings[0].number == number


async def test_whoever_rewrites_a_chain_to_its_end_is_found_by_an_end_that_was_kept(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    await built(api_database, 6)
    await sealed(worker_database)
    kept = (await verified(worker_database)).heads

    await tamper(
        worker_database,
        ["delete from audit where number = 2", "update audit set number = null, hash = null", "delete from audit_heads"],
    )
    await sealed(worker_database)

    assert (await verified(worker_database)).findings == []
    assert [one.what for one in (await verified(worker_database, kept)).findings] == ["ends at 5, before the entry 6 that was kept"]


async def test_erased_values_leave_the_chain_whole(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    customer = new_id()
    async with api_database.change(a_partner()) as tx:
        await houses.build(tx, "Ada Lovelace's", customer)
    await built(api_database, 2)
    await sealed(worker_database)

    async with worker_database.work() as work:
        assert await erase_values(work.session, customer) == 1

    report = await verified(worker_database)
    assert (report.entries, report.findings) == (3, [])
    erased, *others = await entries(worker_database)
    assert (erased["after"], erased["fields"]) == (None, ["customer_id", "name"])
    assert all(json.loads(one["after"])["name"] == "Villa" for one in others)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set operation = 'other'",
        "delete from audit",
        "update audit_values set after = '{}'",
        "delete from audit_heads",
        "truncate audit",
    ],
)
async def test_the_login_of_workers_may_not_change_what_the_audit_says(worker_database: WorkerDatabase, statement: str) -> None:
    async with worker_database.direct() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(statement)


@pytest.mark.parametrize("statement", ["select id from audit", "select salt from audit_values", "update audit set code = 'x'"])
async def test_requests_may_only_add_to_the_audit(api_database: ApiDatabase, statement: str) -> None:
    async with api_database.change(a_partner()) as tx:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with tx.session.begin_nested():
                await tx.session.execute(text(statement))


async def test_the_command_says_where_and_how_much_and_keeps_the_ends(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, tmp_path: Path
) -> None:
    await built(api_database, 4)
    settings = worker_database.settings

    async def asked(*arguments: str) -> SimpleNamespace:
        command = audit(lambda: WorkerDatabase(settings, clock))
        result = await asyncio.to_thread(CliRunner().invoke, command, [*arguments])
        return SimpleNamespace(code=result.exit_code, said=result.output)

    sound = await asked("verify", "--keep", str(tmp_path / "ends.json"))
    assert (sound.code, sound.said) == (0, "4 entries of 1 partners, 0 findings\n")
    await tamper(worker_database, ["update audit set user_id = gen_random_uuid() where number = 2"])
    found = await asked("verify", "--kept", str(tmp_path / "ends.json"))
    assert found.code == 1
    assert "entry 2: changed, or the one before it was" in found.said


async def test_an_end_that_was_kept_outlives_a_finding(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, tmp_path: Path
) -> None:
    await built(api_database, 2)
    settings, ends = worker_database.settings, tmp_path / "ends.json"
    every_night = ["verify", "--keep", str(ends)]
    command = audit(lambda: WorkerDatabase(settings, clock))
    assert (await asyncio.to_thread(CliRunner().invoke, command, every_night)).exit_code == 0
    good = ends.read_text()

    await tamper(
        worker_database, ["delete from audit where number = 2", "update audit_heads set number = 1, hash = (select hash from audit)"]
    )
    for _ in range(2):
        found = await asyncio.to_thread(CliRunner().invoke, command, [*every_night, "--kept", str(ends)])
        assert (found.exit_code, "before the entry 2 that was kept" in found.output) == (1, True)
        assert f"{ends} was left as it is" in found.output
        assert ends.read_text() == good
