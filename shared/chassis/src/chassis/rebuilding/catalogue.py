"""What the catalogue says of a table, without the schema it stands in: two tables of whom it says the same are alike.

Also what stands in the way of putting another table in its place: whatever holds on to the
table itself and cannot be made anew on the other.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg

type Connection = asyncpg.Connection[Any]

LIVE: Final = "public"
BESIDE: Final = "rebuilding"
BEFORE: Final = "replaced"

_TRAITS: Final = """
with t as (select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2)
select 'table' as kind, '' as name,
       concat_ws(' ', pg_get_userbyid(relowner), relpersistence, relrowsecurity, relforcerowsecurity, relreplident, reltablespace,
                 reloptions::text, obj_description(oid, 'pg_class'),
                 (select array_agg(a::text order by a::text) from unnest(relacl) a)::text) as says
  from t
union all
select 'column', a.attname,
       concat_ws(' ', row_number() over (order by a.attnum), format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation,
                 a.attnotnull, a.attgenerated, a.attidentity, a.attstorage, a.attcompression, pg_get_expr(d.adbin, d.adrelid),
                 a.attacl::text, a.attstattarget, a.attoptions::text, col_description(t.oid, a.attnum))
  from t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
union all
select 'constraint', k.conname, concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
  from t join pg_constraint k on k.conrelid = t.oid
union all
select 'index', x.relname,
       concat_ws(' ', replace(pg_get_indexdef(i.indexrelid), format(' ON %I.', $1::text), ' ON '), i.indisvalid, i.indisclustered,
                 i.indisreplident, x.reltablespace, obj_description(x.oid, 'pg_class'))
  from t join pg_index i on i.indrelid = t.oid join pg_class x on x.oid = i.indexrelid
union all
select 'policy', p.policyname, concat_ws(' ', p.permissive, p.roles::text, p.cmd, p.qual, '/', p.with_check)
  from pg_policies p where p.schemaname = $1 and p.tablename = $2
union all
select 'trigger', g.tgname, replace(pg_get_triggerdef(g.oid), format(' ON %I.', $1::text), ' ON ')
  from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
union all
select 'statistics', s.stxname, pg_get_statisticsobjdef_columns(s.oid) from t join pg_statistic_ext s on s.stxrelid = t.oid
"""

_OBSTACLES: Final = """
with t as (
  select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = any($2::text[])
), found as (
  select w.name, 'is no table' as why from unnest($2::text[]) w(name) where not exists (select from t where relname = w.name)
  union all
  select relname, 'is no plain table' from t where relkind <> 'r' or relispartition
  union all
  select t.relname, format('has the foreign key %s', k.conname) from t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
  union all
  select t.relname, format('is pointed at by the foreign key %s of %s', k.conname, k.conrelid::regclass)
    from t join pg_constraint k on k.confrelid = t.oid and k.contype = 'f'
  union all
  select t.relname, format('has the trigger %s', g.tgname) from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
  union all
  select t.relname, format('numbers its rows itself (%s)', a.attname)
    from t join pg_attribute a on a.attrelid = t.oid and a.attidentity <> ''
  union all
  select t.relname, format('is held by %s', pg_describe_object(d.classid, d.objid, d.objsubid))
    from t join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.deptype = 'n'
   where d.classid not in ('pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass)
     and not exists (select from pg_rewrite r join pg_class v on v.oid = r.ev_class
                      where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and v.relkind = 'v')
     and not exists (select from pg_index i where d.classid = 'pg_class'::regclass and i.indexrelid = d.objid and i.indrelid = t.oid)
)
select distinct name, why from found order by name, why
"""


class Trait(NamedTuple):
    """One thing that the catalogue says of a table."""

    kind: str
    name: str
    says: str


async def traits(connection: Connection, schema: str, table: str) -> set[Trait]:
    """All that the catalogue says of a table: columns, constraints, indexes, policies, grants, comments."""
    return {Trait(*row) for row in await connection.fetch(_TRAITS, schema, table)}


async def unlike(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Where the tables beside differ from the live ones; empty where they are alike."""
    found = []
    for table in tables:
        live, beside = await traits(connection, LIVE, table), await traits(connection, BESIDE, table)
        found += [f"{table}: {trait.kind} {trait.name}".rstrip() for trait in sorted(live ^ beside)]
    return list(dict.fromkeys(found))


async def obstacles(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Why these tables cannot be replaced by others; empty where they can."""
    return [f"{row['name']} {row['why']}" for row in await connection.fetch(_OBSTACLES, LIVE, list(tables))]
