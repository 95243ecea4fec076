"""Tenancy is in the schema of every service: each table has a class, each class its policies, and no key points across partners."""

from importlib import import_module
from pathlib import Path

import asyncpg
import pytest

from chassis_testing.database import Databases
from onebox import postgres as server
from onebox.postgres import PostgresAddress

SERVICES = ("customers", "licensing", "reporting", "notifications")

# The tree of partners points from one partner to another, and customers' users see their own partner whole.
ABOUT_PARTNERS = ("partners_parent", "partners_portal")

UNCLASSED = """
select c.relname from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   and c.relname not like '%\\_version'
   and coalesce(obj_description(c.oid, 'pg_class'), '') !~ '^class: (tenant|access|actor|shared|rail|door)$'
"""
UNGUARDED = """
select c.relname from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and obj_description(c.oid, 'pg_class') ~ '^class: (tenant|access|actor|shared)$'
   and (not c.relrowsecurity or c.relforcerowsecurity)
"""
OPEN_TENANT_POLICIES = """
select p.tablename || ' for ' || p.roles::text from pg_policies p
  join pg_class c on c.relname = p.tablename and c.relnamespace = 'public'::regnamespace
 where obj_description(c.oid, 'pg_class') = 'class: tenant'
   and (p.roles::text like '%_partner%' or p.roles::text like '%_portal%')
   and (p.qual not like '%app.partner%' or (p.cmd <> 'SELECT' and coalesce(p.with_check, '') not like '%app.partner%'))
"""
SHARED_POLICIES = """
select tablename || ': ' || policyname from pg_policies where schemaname = 'public' and cardinality(roles) <> 1
"""
KEYS_WITHOUT_PARTNER = """
select k.conname from pg_constraint k
  join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
 where k.contype = 'f' and obj_description(c.oid, 'pg_class') = 'class: tenant' and obj_description(f.oid, 'pg_class') = 'class: tenant'
   and not exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey) and a.attname = 'partner_id')
"""
PRIMARY_KEYS_WITHOUT_PARTNER = """
select c.relname from pg_class c
 where c.relnamespace = 'public'::regnamespace and obj_description(c.oid, 'pg_class') in ('class: tenant', 'class: access', 'class: actor')
   and c.relkind in ('r', 'p')
   and not exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                    where i.indrelid = c.oid and i.indisprimary and a.attname = 'partner_id')
"""
VIEWS_WITHOUT_CONDITION = """
select viewname from pg_views
 where schemaname = 'public'
   and ((viewname like '%\\_read' and definition not like '%app.partner%')
     or (viewname like '%\\_portal' and (definition not like '%app.partner%' or definition not like '%app.customer%'))
     or (viewname like 'access\\_%' and definition not like '%app.actor%'))
"""
BARRIERS = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind = 'v' and reloptions::text like '%security_barrier%'
"""
OPEN_DOORS = """
select p.proname from pg_proc p
 where p.pronamespace = 'door'::regnamespace
   and (p.proconfig is null or not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%')
     or has_function_privilege('public', p.oid, 'execute'))
"""
DOOR_GRANTS = """
select g.table_name || ' to ' || g.grantee from information_schema.role_table_grants g
  join pg_class c on c.relname = g.table_name and c.relnamespace = 'public'::regnamespace
 where obj_description(c.oid, 'pg_class') = 'class: door' and g.grantee <> g.grantor and g.grantee not like '%\\_worker'
"""
PUBLIC_GRANTS = "select table_name from information_schema.role_table_grants where grantee = 'PUBLIC' and table_schema = 'public'"

RULES = {
    "every table has a class": UNCLASSED,
    "every guarded table has row-level security, never forced": UNGUARDED,
    "every tenant policy names the tenant, for reading and for writing": OPEN_TENANT_POLICIES,
    "a policy is for one role": SHARED_POLICIES,
    "a foreign key between tenant tables carries the partner": KEYS_WITHOUT_PARTNER,
    "a primary key begins with the partner": PRIMARY_KEYS_WITHOUT_PARTNER,
    "a view repeats the condition of its table": VIEWS_WITHOUT_CONDITION,
    "no view is a security barrier": BARRIERS,
    "a door has a fixed search path and is shut to the public": OPEN_DOORS,
    "nobody who serves requests has rights on a door's table": DOOR_GRANTS,
    "the public has no rights": PUBLIC_GRANTS,
}

PLANTED = {
    "every table has a class": "create table bare (id int)",
    "every guarded table has row-level security, never forced": "alter table due disable row level security",
    "every tenant policy names the tenant, for reading and for writing": (
        "create policy lax on due for all to licensing_partner using (true)"
    ),
    "a policy is for one role": "create policy two on due for select to licensing_partner, licensing_portal using (false)",
    "a foreign key between tenant tables carries the partner": (
        "alter table due add constraint due_alone unique (id);"
        "create table child (id uuid primary key, due_id uuid references due (id)); comment on table child is 'class: tenant'"
    ),
    "a primary key begins with the partner": "create table loose (id uuid primary key); comment on table loose is 'class: tenant'",
    "a view repeats the condition of its table": "create view loose_read as select * from due",
    "no view is a security barrier": "create view walled with (security_barrier) as select 1 as one",
    "a door has a fixed search path and is shut to the public": (
        "create schema if not exists door; create function door.ajar() returns int language sql security definer as 'select 1'"
    ),
    "nobody who serves requests has rights on a door's table": (
        "create table safe (id int); comment on table safe is 'class: door'; grant select on safe to licensing_api"
    ),
    "the public has no rights": "grant select on due to public",
}


async def connected(databases: Databases, postgres: PostgresAddress, service: str) -> asyncpg.Connection:
    migrations = Path(str(import_module(service).__file__)).parent / "migrations"
    database = await databases.clone(await databases.template(service, migrations), service)
    return await server.connect(postgres, database.name, service)


async def broken(connection: asyncpg.Connection, rule: str) -> list[str]:
    if "'door'::regnamespace" in RULES[rule] and not await connection.fetchval("select to_regnamespace('door') is not null"):
        return []
    return [row[0] for row in await connection.fetch(RULES[rule]) if row[0] not in ABOUT_PARTNERS]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_keeps_its_class(made_databases: Databases, postgres: PostgresAddress, service: str, rule: str) -> None:
    connection = await connected(made_databases, postgres, service)
    try:
        assert await broken(connection, rule) == []
    finally:
        await connection.close()


@pytest.mark.parametrize("rule", RULES)
async def test_every_rule_sees_what_breaks_it(made_databases: Databases, postgres: PostgresAddress, rule: str) -> None:
    connection = await connected(made_databases, postgres, "licensing")
    undone = connection.transaction()
    await undone.start()
    try:
        await connection.execute(PLANTED[rule])
        assert await broken(connection, rule) != []
    finally:
        await undone.rollback()
        await connection.close()
