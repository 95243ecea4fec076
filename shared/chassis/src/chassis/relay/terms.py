"""A term: what one producer publishes, wave after wave, until it fails or is replaced.

While the broker works on a wave, the database deletes the one before and reads the next one
ahead. A failure ends the term, and what was read ahead is forgotten: the next term reads again.
"""

import asyncio
import time
from typing import Any, Final

import asyncpg

from chassis.relay import parking
from chassis.relay.measuring import PUBLISHED
from chassis.relay.publishing import Outcome, Publisher
from chassis.relay.reading import WAVE, Reader, Rows

_DELETE: Final = "delete from outbox where id = any($1::bigint[])"
_ANSWER_WITHIN: Final = 10.0
_LOOK_FOR_TOPICS_EVERY: Final = 5.0
"""Seconds."""


class Term:
    """Runs on the lock's own connection. ``suspects``, rows of batches refused for their size, outlive it: each is tried alone."""

    def __init__(self, connection: "asyncpg.Connection[Any]", publisher: Publisher, suspects: set[int]) -> None:
        self._connection = connection
        self._publisher = publisher
        self._reader = Reader(connection)
        self._suspects = suspects
        self._rows: Rows = ()
        self._done: list[int] = []
        self._next_look_for_topics = 0.0
        self.over = False
        """The producer is of no more use."""

    async def look(self) -> bool:
        """Whether there is something to publish."""
        await self._look_for_topics()
        if not self._rows:
            await self.settle()
            self._rows = await self._reader.wave()
        return bool(self._rows)

    async def publish(self) -> None:
        """Publish the wave that was looked at.

        Raises:
            KafkaError, TimeoutError: the producer failed; what was acknowledged is deleted all the same.
        """
        rows = await self._sendable(self._rows)
        publishing = asyncio.create_task(self._publisher.publish(rows, self._suspects))
        try:
            await self.settle()
            ahead = await self._reader.wave() if len(rows) >= WAVE else ()
        finally:
            outcome = await publishing
        self._done = in_order(rows, outcome.acknowledged)
        if outcome.failure is not None or outcome.too_large:
            await self._end(outcome)
        sent = {row["id"] for row in rows}
        self._rows = [row for row in ahead if row["id"] not in sent]

    async def settle(self) -> None:
        """Delete what was acknowledged."""
        if done := self._done:
            await self._connection.execute(_DELETE, done, timeout=_ANSWER_WITHIN)
            PUBLISHED.inc(len(done))
            self._suspects.difference_update(done)
            self._done = []

    async def _sendable(self, rows: Rows) -> Rows:
        """Without what is set aside: rows without a topic, those behind a parked one of their entity, beats that would pass either."""
        missing = await self._publisher.missing({row["topic"] for row in rows})
        held = {row["entity"] for row in rows if row["held"] or row["topic"] in missing}
        if not held:
            return rows
        if missing:
            await parking.park_without_topic(self._connection, [row["id"] for row in rows if row["topic"] in missing])
        await parking.follow(self._connection, held)
        passed = {row["topic"] for row in rows if row["entity"] in held}
        await parking.take_beats_back(self._connection, passed)
        return [row for row in rows if row["entity"] not in held and not (row["partition_key"] is None and row["topic"] in passed)]

    async def _look_for_topics(self) -> None:
        """Let rows go whose topic was missing and has come; many are let go bit by bit."""
        if time.monotonic() < self._next_look_for_topics:
            return
        parked = await parking.topics_of(self._connection)
        there = parked - await self._publisher.missing(parked)
        freed = [await parking.unpark_topic(self._connection, topic) for topic in there]
        self._next_look_for_topics = time.monotonic() + (0.0 if any(freed) else _LOOK_FOR_TOPICS_EVERY)

    async def _end(self, outcome: Outcome) -> None:
        self.over = True
        await self.settle()
        for refused in outcome.too_large:
            if len(refused) > 1:
                self._suspects.update(refused)
            else:
                await parking.park(self._connection, refused[0], "the broker refused it: it is larger than its topic allows")
                self._suspects.discard(refused[0])
        if outcome.failure is not None:
            raise outcome.failure


def in_order(rows: Rows, acknowledged: set[int]) -> list[int]:
    """The acknowledged rows that have no unacknowledged earlier row of the same entity in the wave."""
    if len(acknowledged) == len(rows):
        return [row["id"] for row in rows]
    waiting = set()
    done = []
    for row in rows:
        if row["id"] in acknowledged and row["entity"] not in waiting:
            done.append(row["id"])
        else:
            waiting.add(row["entity"])
    return done
