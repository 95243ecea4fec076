"""The second tables: made like the live ones, down to grants and policies, in a schema beside them.

What the catalogue says of the live table is said of its twin in the same words, under the same
names: indexes and constraints live in their table's schema, so nothing is renamed when it moves.
Indexes that are dear to keep row by row are made once the tables are full.
"""

from collections.abc import Sequence
from typing import Final

from chassis.rebuilding.catalogue import BEFORE, BESIDE, LIVE, Connection

_LIKE: Final = """
select format('create table %1$I.%2$I (like %3$I.%2$I including all excluding indexes excluding statistics)%4$s',
              $2::text, c.relname, $1::text, ' with (' || array_to_string(c.reloptions, ', ') || ')')
  from pg_class c where c.oid = format('%I.%I', $1::text, $3::text)::regclass
"""
_CONSTRAINTS: Final = """
select format('alter table %I.%I add constraint %I %s', $2::text, $3::text, conname, pg_get_constraintdef(oid))
  from pg_constraint where conrelid = format('%I.%I', $1::text, $3::text)::regclass and contype in ('p', 'u', 'x') order by contype
"""
_INDEXES: Final = """
select replace(pg_get_indexdef(i.indexrelid), format(' ON %I.', $1::text), format(' ON %I.', $2::text))
  from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
 where i.indrelid = format('%I.%I', $1::text, $3::text)::regclass and (m.amname = 'btree') <> $4
   and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
   and not exists (select from pg_class y join pg_namespace n on n.oid = y.relnamespace where n.nspname = $2 and y.relname = x.relname)
"""
_PROTECTION: Final = """
with t as (select c.* from pg_class c where c.oid = format('%I.%I', $1::text, $3::text)::regclass)
select 1 as turn, format('comment on table %I.%I is %L', $2::text, $3::text, obj_description(oid, 'pg_class')) as statement from t
union all
select 2, format('alter table %I.%I enable row level security', $2::text, $3::text) from t where relrowsecurity
union all
select 3, format('create policy %I on %I.%I as %s for %s to %s', policyname, $2::text, $3::text, permissive, cmd,
                 (select string_agg(quote_ident(role), ', ') from unnest(roles) role))
          || coalesce(' using (' || qual || ')', '') || coalesce(' with check (' || with_check || ')', '')
  from pg_policies where schemaname = $1 and tablename = $3
union all
select 4, format('grant %s on %I.%I to %s%s', a.privilege_type, $2::text, $3::text,
                 case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                 case when a.is_grantable then ' with grant option' else '' end)
  from t, aclexplode(t.relacl) a where a.grantee <> t.relowner
order by turn
"""


async def standing(connection: Connection, tables: Sequence[str], schema: str = BESIDE) -> list[str]:
    """Those of the tables that stand in a schema."""
    wanted = "select tablename from pg_tables where schemaname = $1 and tablename = any($2::text[]) order by tablename"
    return [row["tablename"] for row in await connection.fetch(wanted, schema, list(tables))]


async def make(connection: Connection, service: str, tables: Sequence[str]) -> None:
    """Make empty tables beside, in one transaction. Their dear indexes come with ``finish``."""
    async with connection.transaction():
        await connection.execute(f"create schema if not exists {BESIDE}")
        await connection.execute(f"grant usage on schema {BESIDE} to {service}_worker")
        for table in tables:
            place = (LIVE, BESIDE, table)
            statements = [
                *await connection.fetch(_LIKE, *place),
                *await connection.fetch(_CONSTRAINTS, *place),
                *await connection.fetch(_INDEXES, *place, False),
            ]
            await _run(connection, [row[0] for row in statements])
            await _run(connection, [row["statement"] for row in await connection.fetch(_PROTECTION, *place)])


async def finish(connection: Connection, tables: Sequence[str]) -> None:
    """Make what is left of the indexes, and gather statistics, so that the first reader finds a good plan."""
    for table in tables:
        async with connection.transaction():
            await _run(connection, [row[0] for row in await connection.fetch(_INDEXES, LIVE, BESIDE, table, True)])
        await connection.execute(f'analyze {BESIDE}."{table}"')


async def drop(connection: Connection, tables: Sequence[str], schema: str = BESIDE) -> None:
    """Drop what stands of these tables in a schema that is not the live one."""
    for table in await standing(connection, tables, schema):
        await connection.execute(f'drop table {schema}."{table}"')


async def move(connection: Connection, tables: Sequence[str]) -> None:
    """Put the tables beside in the live ones' place; those now stand in the schema of what was replaced. For inside a transaction."""
    await connection.execute(f"create schema if not exists {BEFORE}")
    await drop(connection, tables, BEFORE)
    for table in tables:
        await connection.execute(f'alter table {LIVE}."{table}" set schema {BEFORE}')
        await connection.execute(f'alter table {BESIDE}."{table}" set schema {LIVE}')


async def _run(connection: Connection, statements: Sequence[str | None]) -> None:
    for statement in statements:
        if statement is not None:
            await connection.execute(statement)
