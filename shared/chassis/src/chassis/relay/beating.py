"""Beating: the relay that leads tells a beat into each state topic, through the outbox, on the lock's own connection.

So a service beats once, however many replicas it has. A beat's time is taken before its row is
written: what was committed by then has a lower id, and lane 0 is read from its beginning
whenever a beat goes out (``reading``). So a beat passes nothing of lane 0, and its readers know
everything that lane 0 said before its time. A topic whose last beat is not out yet gets no
other: a broker that is away costs one row. Nor does a topic of which a row is parked: what its
readers know grows old then, and they ask.
"""

import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg
import msgspec

from chassis.clock import Clock
from chassis.ids import new_id
from contracts import beats

_ANSWER_WITHIN: Final = 10.0
_TELL: Final = f"""
insert into outbox (lane, entity, topic, key, event_id, headers, payload)
select 0, told.entity, told.topic, '{beats.KEY}', told.event_id, told.headers, $5
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::json[]) as told(entity, topic, event_id, headers)
 where not exists (select from outbox waiting where waiting.entity = told.entity)
   and not exists (select from outbox parked where parked.topic = told.topic and parked.lane = 3)
"""  # noqa: S608 (made of constants)


class Heart:
    """What one service's relay beats. ``topics`` are those that it tells states to."""

    def __init__(self, service: str, topics: Iterable[str], clock: Clock) -> None:
        self._source = f"/{service}"
        self._clock = clock
        self._next = dict.fromkeys(topics, 0.0)

    async def beat(self, connection: "asyncpg.Connection[Any]") -> None:
        """Tell the beats whose time has come."""
        began = time.monotonic()
        topics = [topic for topic, at in self._next.items() if at <= began]
        if not topics:
            return
        at, ids = self._clock.now(), [new_id() for _ in topics]
        headers = [_text(beats.encode(beat_id, self._source, at)) for beat_id in ids]
        await connection.execute(_TELL, [entity_of(topic) for topic in topics], topics, ids, headers, beats.PAYLOAD, timeout=_ANSWER_WITHIN)
        self._next |= {topic: began + beats.every(topic).total_seconds() for topic in topics}


def entity_of(topic: str) -> UUID:
    """What the beats of a topic stand for in the outbox, where every row is some entity's."""
    return uuid5(NAMESPACE_URL, f"beat of {topic}")


def _text(headers: Iterable[tuple[str, bytes]]) -> str:
    return msgspec.json.encode([(name, value.decode()) for name, value in headers]).decode()
