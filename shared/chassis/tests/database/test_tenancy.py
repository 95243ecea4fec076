"""Another partner's row does not exist, whichever way it is asked for (design: tenancy in three places)."""

import asyncpg
import pytest
from house.houses import House
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError

from chassis.access import tables as access
from chassis.database import ApiDatabase, DatabaseSettings, Reading, Transaction, WorkerDatabase
from chassis.database.logins import LoginTooMighty, refuse_mighty
from chassis.http import idempotency
from chassis.http.answers import Answer
from chassis.http.idempotency import Claim
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.database import as_stranger, reading
from onebox import postgres as server
from onebox.postgres import PostgresAddress

ALL = Reading(House, lambda r, _shape: select(r.c.id, r.c.name).where(r.c.name.like(bindparam("like"))))


async def test_a_stranger_sees_nothing_and_the_owner_sees_its_row(tx: Transaction) -> None:
    house = House(partner_id=tx.partner_id, id=tx.new_id(), customer_id=tx.new_id(), name="Villa")
    tx.session.add(house)
    await tx.session.flush()

    async with as_stranger(tx) as stranger:
        assert (await stranger.session.execute(text("select count(*) from houses"))).scalar_one() == 0
        assert await (await reading(stranger)).rows(ALL, like="%") == []

    assert [row["name"] for row in await (await reading(tx)).rows(ALL, like="%il%")] == ["Villa"]


async def test_a_row_cannot_be_written_for_another_partner(tx: Transaction) -> None:
    tx.session.add(House(partner_id=new_id(), id=tx.new_id(), customer_id=tx.new_id(), name="Smuggled"))

    with pytest.raises(DBAPIError, match="row-level security"):
        await tx.session.flush()


async def test_a_connection_goes_back_without_a_tenant(api_database: ApiDatabase) -> None:
    principal = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    async with api_database.change(principal) as tx:
        tx.session.add(House(partner_id=tx.partner_id, id=tx.new_id(), customer_id=tx.new_id(), name="Villa"))
    async with api_database.read(principal) as read:
        assert len(await read.rows(ALL, like="%")) == 1

    async with api_database.at_the_door() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text("select * from houses"))


async def test_a_portal_user_reads_its_own_customer_only(api_database: ApiDatabase) -> None:
    partner, mine = new_id(), new_id()
    async with api_database.change(Principal(kind="partner", user_id=new_id(), partner_id=partner, gen=1)) as tx:
        tx.session.add_all(House(partner_id=partner, id=tx.new_id(), customer_id=one, name="Villa") for one in (mine, new_id()))

    portal = Principal(kind="customer", user_id=new_id(), partner_id=partner, gen=1, customer_id=mine)
    async with api_database.read(portal) as read:
        assert len(await read.rows(ALL, like="%")) == 1


async def test_an_operator_reads_across_partners(api_database: ApiDatabase) -> None:
    for _ in range(2):
        async with api_database.change(Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)) as tx:
            tx.session.add(House(partner_id=tx.partner_id, id=tx.new_id(), customer_id=tx.new_id(), name="Villa"))

    operator = Principal(kind="operator", user_id=new_id(), partner_id=new_id(), gen=1)
    async with api_database.read(operator) as read:
        assert len(await read.rows(ALL, like="%")) == 2


async def test_a_login_that_owns_the_tables_does_not_start(fresh_database: DatabaseSettings, worker_database: WorkerDatabase) -> None:
    owner = await asyncpg.connect(
        host=fresh_database.host,
        port=fresh_database.port,
        database=fresh_database.name,
        user=fresh_database.user("owner"),
        password=fresh_database.password("owner"),
    )
    try:
        with pytest.raises(LoginTooMighty, match="owns"):
            await refuse_mighty(owner, service="licensing")
    finally:
        await owner.close()
    async with worker_database.direct() as worker:
        await refuse_mighty(worker, service="licensing")


@pytest.mark.parametrize(
    ("role", "might"),
    [
        ("create role mighty superuser", "superuser"),
        ("create role mighty bypassrls", "bypasses"),
        ("create role mighty; grant licensing_owner to mighty", "may_become_owner"),
        ("create role mighty; create table hoard (); alter table hoard owner to mighty", "owns"),
    ],
)
async def test_whatever_lifts_row_level_security_is_refused(
    fresh_database: DatabaseSettings, postgres: PostgresAddress, role: str, might: str
) -> None:
    connection = await server.connect(postgres, fresh_database.name, fresh_database.service)
    undone = connection.transaction()
    await undone.start()
    try:
        await connection.execute(f"{role}; set local role mighty")
        with pytest.raises(LoginTooMighty, match=f"login mighty .*: .*{might}"):
            await refuse_mighty(connection, service="licensing")
    finally:
        await undone.rollback()
        await connection.close()


async def test_a_portal_user_sees_only_itself_of_who_may_do_what(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    """Second layer: by the policies alone a customer's user sees its own customer and user, no colleague's and no role."""
    partner, mine, me = new_id(), new_id(), new_id()
    async with worker_database.work() as work:
        for customer in (mine, new_id()):
            await work.session.execute(
                insert(access.customers).values(
                    partner_id=partner, id=customer, version=1, status="active", management_type="co_managed", tags=[]
                )
            )
        for user in (me, new_id()):
            await work.session.execute(
                insert(access.users).values(
                    partner_id=partner, id=user, version=1, kind="customer", status="active", gen=1, customer_id=mine, role_ids=[]
                )
            )

    portal = Principal(kind="customer", user_id=me, partner_id=partner, gen=1, customer_id=mine)
    async with api_database.read(portal) as read:
        assert [row["id"] for row in await read.connection.fetch("select id from access_customers")] == [mine]
        assert [row["id"] for row in await read.connection.fetch("select id from access_users")] == [me]
        assert await read.connection.fetch("select id from access_roles") == []


async def test_what_one_principals_calls_leave_behind_is_no_others(api_database: ApiDatabase) -> None:
    partner = new_id()
    ada, eve = (Principal(kind="partner", user_id=new_id(), partner_id=partner, gen=1) for _ in range(2))
    claim = Claim(partner_id=partner, user_id=ada.user_id, key="one", fingerprint=b"x")
    async with api_database.change(ada) as tx:
        await idempotency.store(tx.session, claim, Answer(status=201, body=b"secret"))

    async with api_database.change(eve) as tx:
        assert (await tx.session.execute(text("select count(*) from idempotency_keys"))).scalar_one() == 0
    async with api_database.change(ada) as tx:
        assert (await tx.session.execute(text("select count(*) from idempotency_keys"))).scalar_one() == 1
