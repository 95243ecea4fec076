"""The verbs of licensing as operators run them."""

import asyncio
import os
import sys
from pathlib import Path

import onebox
from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.database.outbox import Lane
from chassis.ids import new_id
from chassis.relay import Relay
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from licensing_testing.builders import a_trial

_SHIPPED = Path(str(onebox.__file__)).parent / "data" / "catalogue.yaml"


async def test_the_catalogue_is_loaded_by_a_command_and_loading_it_again_changes_nothing(fresh_database: DatabaseSettings) -> None:
    """LIC-01, LIC-02: offers, serial numbers and policies come from one file."""
    first = await _licensing(fresh_database, "load-catalogue", str(_SHIPPED))
    again = await _licensing(fresh_database, "load-catalogue", str(_SHIPPED))

    assert first[0] == again[0] == 0
    assert "sep-cloud" in first[1]
    assert "New serial numbers: 5" in first[1]
    assert again[1] == "Published: nothing. New serial numbers: 0.\n"


async def test_the_catalogue_is_loaded_while_a_relay_leads(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """A relay holds its lock for as long as it lives, and loading a catalogue has one of its own."""
    relay = Relay(worker_database, kafka=topics.kafka, prefix=topics.prefix)
    leading = asyncio.create_task(relay.run())
    try:
        await eventually(lambda: _leads(relay))
        code, said, complaints = await _licensing(fresh_database, "load-catalogue", str(_SHIPPED))
    finally:
        relay.stop()
        await leading

    assert (code, complaints) == (0, "")
    assert "New serial numbers: 5" in said


async def _leads(relay: Relay) -> bool:
    return relay.leading


async def test_a_bad_catalogue_is_refused_with_every_problem_and_its_place(fresh_database: DatabaseSettings, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text("offers: [{code: A B, name: x}]\n")

    code, _, said = await _licensing(fresh_database, "load-catalogue", str(file))

    assert code == 2
    assert [line.split(":")[0] for line in said.splitlines()] == ["offers[0].code", "offers[0].product", "offers[0].product_type"]


async def test_every_state_is_told_anew_by_a_command_without_publishing_anything_once_more(fresh_database: DatabaseSettings) -> None:
    await _licensing(fresh_database, "load-catalogue", str(_SHIPPED))
    database = WorkerDatabase(fresh_database, SystemClock(), connections=1)
    async with database.work() as work, work.item(new_id()) as tx:
        await a_trial(tx)
    async with database.direct() as connection:
        offers = await connection.fetchval("select count(*) from offers")
        await connection.execute("delete from outbox")
    await database.close()

    assert (await _licensing(fresh_database, "retell", "--kind", "seat"))[0] == 2
    code, said, _ = await _licensing(fresh_database, "retell", "--kind", "offer", "--kind", "subscription")

    assert code == 0
    assert f"offer: {offers} told anew\n" in said
    assert "subscription: 1 told anew\n" in said
    async with database.direct() as connection:
        told = await connection.fetch("select topic, lane, count(*) from outbox group by topic, lane order by topic")
    assert told == [("offer.changed", Lane.BULK, offers), ("subscription.changed", Lane.BULK, 1)]


async def _licensing(database: DatabaseSettings, *arguments: str) -> tuple[int | None, str, str]:
    """Exit code, output and complaints of ``python -m licensing``."""
    told = {
        "LICENSING_DATABASE_HOST": database.host,
        "LICENSING_DATABASE_PORT": str(database.port),
        "LICENSING_DATABASE_NAME": database.name,
        "LICENSING_WORKER_PASSWORD": database.password("worker"),
        "LICENSING_API_PASSWORD": database.password("api"),
        "LICENSING_KAFKA": "127.0.0.1:9",
        "LICENSING_HTTP_PORT": "9",
        "LICENSING_CUSTOMERS_URL": "http://127.0.0.1:9",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "licensing",
        *arguments,
        env={**os.environ, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await process.communicate()
    return process.returncode, output.decode(), complaints.decode()
