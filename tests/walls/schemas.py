"""What the code of a release needs of a schema, written down as text, and what of that a newer schema lacks.

A line says what one relation, column, constraint or function is. Code of before runs on a newer
schema if nothing it names is gone or narrower, and nothing is asked of it that it does not know.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import asyncpg

type Schema = Mapping[str, str]
"""By name (``customers``, ``customers.name``, ``customers: customers_name_key``, ``door.find_user(text)``): what it is."""

_OURS: Final = """
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
   and c.relname not like '%\\_version'
"""
_RELATIONS: Final = """
select c.relname::text as name, case c.relkind when 'v' then 'view' else 'table' end as what
  from pg_class c
"""
_COLUMNS: Final = """
select c.relname::text || '.' || a.attname as name,
       format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
       || case when a.atthasdef or a.attidentity <> '' then ' default' else '' end as what
  from pg_class c join pg_attribute a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
"""
_CONSTRAINTS: Final = """
select c.relname::text || ': ' || k.conname as name, pg_get_constraintdef(k.oid) as what
  from pg_constraint k join pg_class c on c.oid = k.conrelid
 where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'c', 'f', 'x') and c.relname not like '%\\_version'
"""
_UNIQUE: Final = """
select t.relname::text || ': ' || i.relname as name, pg_get_indexdef(x.indexrelid) as what
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
 where t.relnamespace = 'public'::regnamespace and x.indisunique and t.relname not like '%\\_version'
   and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
"""
_FUNCTIONS: Final = """
select n.nspname::text || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
       'returns ' || pg_get_function_result(p.oid) as what
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('public', 'door')
   and p.prorettype <> 'trigger'::regtype and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""
_ALL: Final = (_RELATIONS + _OURS, _COLUMNS + _OURS, _CONSTRAINTS, _UNIQUE, _FUNCTIONS)

_WIDER: Final = {
    "smallint": {"integer", "bigint"},
    "integer": {"bigint"},
    "character varying": {"text"},
    "real": {"double precision"},
}
_TYPE: Final = re.compile(r"(?P<type>.*?)(?P<not_null> not null)?(?P<default> default)?")


async def described(connection: asyncpg.Connection) -> Schema:
    return {row["name"]: row["what"] for query in _ALL for row in await connection.fetch(query)}


def written(schema: Schema) -> str:
    return "".join(f"{name} | {schema[name]}\n" for name in sorted(schema))


def read(text: str) -> Schema:
    return dict(line.split(" | ", 1) for line in text.splitlines())


def breaks(released: Schema, now: Schema) -> list[str]:
    """Why the released code would not run on the schema of now; nothing where it would."""
    return [*_gone(released, now), *_asked_for(released, now)]


def _gone(released: Schema, now: Schema) -> Iterator[str]:
    for name, was in released.items():
        here = now.get(name)
        if here is None:
            if not was.startswith(("CHECK", "FOREIGN KEY")):
                yield f"{name} is gone"
        elif _is_column(name):
            yield from _narrower(name, was, here)
        elif here != was:
            yield f"{name} was {was} and is {here}"


def _narrower(name: str, was: str, here: str) -> Iterator[str]:
    before, after = _TYPE.fullmatch(was), _TYPE.fullmatch(here)
    assert before
    assert after
    if after["type"] != before["type"] and after["type"] not in _WIDER.get(before["type"].partition("(")[0], ()):
        yield f"{name} was {before['type']} and is {after['type']}"
    if after["not_null"] and not before["not_null"]:
        yield f"{name} must be given a value"
    if after["not_null"] and before["default"] and not after["default"]:
        yield f"{name} has no default any more"


def _asked_for(released: Schema, now: Schema) -> Iterator[str]:
    """What old tables ask of writers that do not know it."""
    for name, here in now.items():
        table = re.split(r"[.:]", name)[0]
        if name in released or released.get(table) != "table":
            continue
        if _is_column(name) and here.endswith(" not null"):
            yield f"{name} is new, must have a value and has no default"
        if not _is_column(name):
            yield f"{name} is a new condition: {here}"


def _is_column(name: str) -> bool:
    return "." in name and "(" not in name and ":" not in name
