"""The books: what the billing team keeps of what it was told, in a database of its own.

A record's effect, its row in ``told`` (unique by source and event id) and the fence of its
partition are one transaction: whatever is delivered twice, replayed or cut off in the middle
counts once. What one fact says of a subscription never overwrites what a later version said.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg

from contracts.licensing.billing import BillingLineRated
from simulator.letters import Letter, Place, Refused

STAGES: Final = {
    "trial.started": "trial",
    "trial.expired": "expired",
    "trial.paused": "paused",
    "trial.converted": "paid",
    "subscription.activated": "paid",
}
"""What a subscription is after a fact. Facts of one version agree."""

_TABLES: Final = """
create table if not exists fences (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    constraint fences_pkey primary key (topic, partition)
);
create table if not exists told (
    source text not null,
    id uuid not null,
    type text not null,
    subject uuid not null,
    version bigint not null,
    partner_id uuid not null,
    customer_id uuid,
    effective_at timestamptz not null,
    data text not null,
    constraint told_pkey primary key (source, id)
);
create table if not exists lines (
    line_id uuid not null,
    event_id uuid not null,
    partner_id uuid not null,
    customer_id uuid,
    subscription_id uuid not null,
    effective_at timestamptz not null,
    reason text not null,
    product text not null,
    offer text not null,
    offer_version integer not null,
    unit_price numeric not null,
    quantity numeric not null,
    amount numeric not null,
    currency text not null,
    period_from date not null,
    period_to date not null,
    corrects uuid,
    constraint lines_pkey primary key (line_id)
);
create table if not exists subscriptions (
    id uuid not null,
    partner_id uuid not null,
    customer_id uuid,
    stage text not null,
    version bigint not null,
    constraint subscriptions_pkey primary key (id)
);
create table if not exists refused (
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    reason text not null,
    payload bytea,
    constraint refused_pkey primary key (topic, partition, "offset")
);
"""

_TELL: Final = """
insert into told (source, id, type, subject, version, partner_id, customer_id, effective_at, data)
select * from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::uuid[], $7::uuid[], $8::timestamptz[], $9::text[])
on conflict on constraint told_pkey do nothing
returning source, id
"""

_LINE: Final = """
insert into lines (line_id, event_id, partner_id, customer_id, subscription_id, effective_at, reason, product, offer, offer_version,
    unit_price, quantity, amount, currency, period_from, period_to, corrects)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict on constraint lines_pkey do nothing
"""

_STAGE: Final = """
insert into subscriptions (id, partner_id, customer_id, stage, version) values ($1, $2, $3, $4, $5)
on conflict on constraint subscriptions_pkey do update
set partner_id = excluded.partner_id, customer_id = excluded.customer_id, stage = excluded.stage, version = excluded.version
where subscriptions.version < excluded.version
"""

_FENCE: Final = """
insert into fences (topic, partition, next_offset) values ($1, $2, $3)
on conflict on constraint fences_pkey do update set next_offset = greatest(fences.next_offset, excluded.next_offset)
"""

_REFUSE: Final = """
insert into refused (topic, partition, "offset", reason, payload) values ($1, $2, $3, $4, $5)
on conflict on constraint refused_pkey do nothing
"""


async def open_books(connection: asyncpg.Connection) -> None:
    """Make the tables that are missing."""
    await connection.execute(_TABLES)


async def fences(connection: asyncpg.Connection) -> dict[tuple[str, int], int]:
    """Where to go on reading, by topic and partition."""
    return {(row["topic"], row["partition"]): row["next_offset"] for row in await connection.fetch("select * from fences")}


async def enter(connection: asyncpg.Connection, letters: Sequence[Letter], refused: Sequence[Refused], read: Sequence[Place]) -> None:
    """Enter a batch, all or nothing; ``read`` are the places of everything in it, skipped records too."""
    async with connection.transaction():
        new = await _tell(connection, letters)
        await connection.executemany(_LINE, [_line(one, one.record) for one in new if isinstance(one.record, BillingLineRated)])
        await connection.executemany(_STAGE, [_stage(one) for one in new if one.envelope.type in STAGES])
        await connection.executemany(_REFUSE, [(*_place(one.place), one.reason, one.payload) for one in refused])
        ahead = {(place.topic, place.partition): place.offset + 1 for place in read}
        await connection.executemany(_FENCE, [(topic, partition, offset) for (topic, partition), offset in sorted(ahead.items())])


async def lines(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Every line, in the order in which they took effect."""
    found: list[asyncpg.Record] = await connection.fetch("select * from lines order by effective_at, line_id")
    return found


async def _tell(connection: asyncpg.Connection, letters: Sequence[Letter]) -> list[Letter]:
    """Write down what was told; the letters that are new."""
    if not letters:
        return []
    by_key = {(one.envelope.source, one.envelope.id): one for one in letters}
    rows = [
        (one.source, one.id, one.type, one.subject, one.aggregate_version, one.partner_id, one.customer_id, one.effective_time, letter.text)
        for letter in by_key.values()
        for one in (letter.envelope,)
    ]
    new = await connection.fetch(_TELL, *map(list, zip(*rows, strict=True)))
    return [by_key[row["source"], row["id"]] for row in new]


def _line(letter: Letter, line: BillingLineRated) -> tuple[object, ...]:
    envelope = letter.envelope
    whose = (envelope.id, envelope.partner_id, envelope.customer_id, envelope.subject, envelope.effective_time)
    what = (line.reason, line.product, line.offer, line.offer_version, line.unit_price, line.quantity, line.amount, line.currency)
    return (line.line_id, *whose, *what, line.period_from, line.period_to, line.corrects)


def _stage(letter: Letter) -> tuple[object, ...]:
    envelope = letter.envelope
    return (envelope.subject, envelope.partner_id, envelope.customer_id, STAGES[envelope.type], envelope.aggregate_version)


def _place(place: Place) -> tuple[str, int, int]:
    return place.topic, place.partition, place.offset
