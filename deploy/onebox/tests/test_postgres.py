"""The roles that every service logs in with can do their work and nothing beyond it, however often they are made."""

import asyncio

import asyncpg
import pytest

from onebox.postgres import LOGINS, PostgresAddress, connect, prepare_database, prepare_databases, prepare_roles


async def test_making_the_roles_twice_changes_nothing(postgres: PostgresAddress) -> None:
    await prepare_roles(postgres, {})
    before = await _roles(postgres)

    await prepare_roles(postgres, {})

    assert await _roles(postgres) == before


async def test_many_may_make_the_roles_at_once(postgres: PostgresAddress) -> None:
    await asyncio.gather(*(prepare_roles(postgres, {}) for _ in range(6)))

    assert {role["rolname"] for role in await _roles(postgres)} >= set(LOGINS)


async def test_no_login_is_superuser_passes_by_row_level_security_or_may_become_an_owner(postgres: PostgresAddress) -> None:
    await prepare_roles(postgres, {})

    for role in await _roles(postgres):
        assert not any(role[power] for power in ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole")), role["rolname"]
        assert not any(group.endswith("_owner") for group in role["groups"]), role["rolname"]


async def test_the_api_login_can_do_nothing_but_take_its_own_services_faces(postgres: PostgresAddress) -> None:
    await prepare_roles(postgres, {})

    api = next(role for role in await _roles(postgres) if role["rolname"] == "licensing_api")

    assert set(api["groups"]) == {"licensing_partner", "licensing_portal", "licensing_operator"}
    assert not api["rolinherit"]
    assert set(api["rolconfig"]) == {"jit=off", "lock_timeout=2s", "idle_in_transaction_session_timeout=30s"}


async def test_a_worker_that_stops_with_rows_in_hand_loses_them_as_soon_as_its_partitions(postgres: PostgresAddress) -> None:
    await prepare_roles(postgres, {})

    worker = next(role for role in await _roles(postgres) if role["rolname"] == "licensing_worker")

    assert set(worker["rolconfig"]) == {"jit=off", "lock_timeout=2s", "idle_in_transaction_session_timeout=10s"}


async def test_a_service_cannot_enter_another_services_database(postgres: PostgresAddress) -> None:
    await prepare_roles(postgres, {})
    await prepare_databases(postgres)
    await prepare_database(postgres, "licensing", "licensing")
    connection = await connect(postgres)
    try:
        may_enter = "select has_database_privilege($1, 'licensing', $2)"
        assert await connection.fetchval(may_enter, "licensing_api", "connect")
        assert not await connection.fetchval(may_enter, "customers_api", "connect")
        assert not await connection.fetchval(may_enter, "licensing_api", "temporary")
    finally:
        await connection.close()


@pytest.mark.parametrize("database", ["reporting", "notifications"])
async def test_nobody_but_the_owner_creates_in_the_public_schema(postgres: PostgresAddress, database: str) -> None:
    await prepare_roles(postgres, {})
    await prepare_databases(postgres)
    await prepare_database(postgres, database, database)
    connection = await connect(postgres, database)
    try:
        may_create = "select has_schema_privilege($1, 'public', 'create')"
        assert await connection.fetchval(may_create, f"{database}_owner")
        assert not await connection.fetchval(may_create, f"{database}_worker")
        assert not await connection.fetchval(may_create, f"{database}_partner")
    finally:
        await connection.close()


async def _roles(postgres: PostgresAddress) -> list[asyncpg.Record]:
    connection = await connect(postgres)
    try:
        return await connection.fetch(
            """select rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolinherit, rolconfig,
                      array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
                            where m.member = r.oid order by 1) as groups
               from pg_roles r where rolcanlogin and rolname not in ('postgres') order by rolname"""
        )
    finally:
        await connection.close()
