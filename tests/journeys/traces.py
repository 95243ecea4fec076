"""Traces of somebody: where a text still stands, in any column of any table, in any log, in any state topic."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from chassis.topics import ensure
from chassis_testing.topics import Topics
from contracts import topics
from contracts.catalogue import states
from onebox import postgres
from onebox.postgres import SERVICES
from onebox.suite import Suite

_TABLES: Final = """
select quote_ident(c.relname) from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1
"""
_AT_ONCE: Final = {
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "1000",
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.01",
}
"""A compaction that takes seconds, where an installation gives readers an hour or a week."""


async def in_tables(suite: Suite, words: Sequence[str]) -> list[str]:
    """Tables with a row in which a word stands, as text, in a document, or in bytes."""
    found = []
    patterns = [f"%{form}%" for word in words for form in (word, word.encode().hex(), word.lower().encode().hex())]
    for service in SERVICES:
        connection = await postgres.connect(suite.postgres, service)
        try:
            for (table,) in await connection.fetch(_TABLES):
                row = await connection.fetchval(f"select t::text from {table} t where t::text ilike any($1) limit 1", patterns)  # noqa: S608
                if row is not None:
                    found.append(f"{service}.{table}: {row[:300]}")
        finally:
            await connection.close()
    return found


def in_logs(suite: Suite, words: Sequence[str]) -> list[str]:
    """Log files in which a word stands."""
    logs = [*(suite.home.folder / "logs").glob("*.log")]
    return [str(log) for log in logs if any(word.lower() in log.read_text(errors="replace").lower() for word in words)]


@asynccontextmanager
async def compacting_at_once(suite: Suite) -> AsyncIterator[None]:
    """Let the state topics be compacted now, for a while."""
    as_usual = [topic for topic in topics.load() if topic.state]
    partitions = len(await Topics(suite.kafka, "").sizes(as_usual[0].name))
    await ensure(suite.kafka, [replace(topic, config=topic.config | _AT_ONCE) for topic in as_usual], partitions=partitions)
    yield
    await ensure(suite.kafka, as_usual, partitions=partitions)


async def in_states(suite: Suite, words: Sequence[str]) -> list[str]:
    """State topics in which a word stands, with the key."""
    forms = [word.lower().encode() for word in words]
    there = Topics(suite.kafka, "")
    found = []
    for state in states():
        stood = await there.everything(state.topic)
        found += [f"{state.topic} {one.key!r}" for one in stood if any(form in (one.payload or b"").lower() for form in forms)]
    return found
