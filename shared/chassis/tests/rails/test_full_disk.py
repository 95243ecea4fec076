"""A full disk is survived and said: a change is refused whole, with a reason of its own; reads go on; and with room made all goes on."""

import secrets
from pathlib import Path

import httpx
from house.process import MIGRATIONS
from house.relaying import drained
from house.running import in_here, until_ready
from house.small_disk import small_disk
from pydantic import SecretStr

from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.database.migrate import migrate
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from onebox import postgres as server

PASSWORD = "only-for-tests"


async def test_a_full_disk_is_survived_and_said(tmp_path: Path, topics: Topics) -> None:
    await topics.create("house.built", "house.changed", "house.ordered", "audit.recorded")
    async with small_disk(tmp_path) as disk:
        await server.prepare_roles(disk.address, dict.fromkeys(server.LOGINS, PASSWORD))
        await disk.room_for("licensing")
        await server.prepare_database(disk.address, "licensing", "licensing")
        settings = DatabaseSettings(
            service="licensing",
            host=disk.address.host,
            port=disk.address.port,
            name="licensing",
            passwords={login: SecretStr(PASSWORD) for login in ("owner", "worker", "api")},
        )
        await migrate(settings, MIGRATIONS)
        database = WorkerDatabase(settings, SystemClock())
        async with in_here(settings, topics) as client:
            await until_ready(client)
            assert (await build(client)).status_code == 201

            await disk.fill()
            refused = await eventually(lambda: until_refused(client), within=60)
            assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "storage_full", "30")
            assert "No space" not in refused.text
            assert (await client.get("/health/live")).status_code == 200
            assert await whole(database)

            await disk.make_room()
            assert (await eventually(lambda: until_built(client), within=60)).status_code == 201
            await drained(database, within=60)
            await until_ready(client)
            assert await whole(database)
        built = len({one.envelope.id for one in await topics.everything("house.built")})
        assert built == await houses(database)
        await database.close()


async def build(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(f"/v1/houses/{secrets.token_hex(3000)}", params={"partner_id": str(new_id())})


async def until_refused(client: httpx.AsyncClient) -> httpx.Response | None:
    """Build until there is no page left to write on."""
    answer = await build(client)
    return None if answer.is_success else answer


async def until_built(client: httpx.AsyncClient) -> httpx.Response | None:
    answer = await build(client)
    return answer if answer.is_success else None


async def houses(database: WorkerDatabase) -> int:
    async with database.direct() as connection:
        return int(await connection.fetchval("select count(*) from houses"))


async def whole(database: WorkerDatabase) -> bool:
    """No house without what was told of it: unsent records are of houses that are there."""
    async with database.direct() as connection:
        lost = "select count(*) from outbox where topic = 'house.built' and entity not in (select id from houses)"
        return bool(await connection.fetchval(lost) == 0)
