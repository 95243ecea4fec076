"""What a service does with what it is told.

A projection keeps a read model: whole batches, versions decide, replays are harmless. A step
is an effect or a process: one event at a time in the order told, remembered in the inbox.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.consumers.events import Event, Tombstone
from chassis.database.transaction import Transaction
from chassis.database.worker import Work
from contracts.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection[S: Record]:
    """A read model over one state topic, or over reports that are each the whole state of their entity.

    ``apply`` writes the batch's last event of each entity in one statement, guarded by the
    version; with ``every`` it is given all of them, in the order told, and keeps no table that could
    be rebuilt, because compacted topics do not hold them all. ``forget`` removes entities whose
    tombstone came. ``keeps`` names the tables that are written so and in no other way: they can be
    rebuilt from the topics (``chassis.rebuilding``), and whatever is done beside them is then done once more.
    """

    name: str
    record: type[S]
    apply: Callable[[Work, Sequence[Event[S]]], Awaitable[None]]
    forget: Callable[[Work, Sequence[Tombstone]], Awaitable[None]]
    keeps: Sequence[str] = ()
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step[R: Record]:
    """An effect or a process step: once per event, in a unit of work for the event's partner."""

    name: str
    record: type[R]
    handle: Callable[[Transaction, Event[R]], Awaitable[None]]


type Handler = Projection[Any] | Step[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One consumer group: its handlers, several of which may follow the same topic.

    With ``hears_beats`` it notes when each partition's last beat was told (``contracts.beats``).
    """

    group: str
    handlers: Sequence[Handler]
    hears_beats: bool = False

    @property
    def projects(self) -> bool:
        """Whether it keeps a read model, whose readers ask how fresh it is."""
        return any(isinstance(handler, Projection) for handler in self.handlers)

    def topics(self) -> list[str]:
        return sorted({handler.record.topic for handler in self.handlers})

    def of(self, topic: str) -> list[Handler]:
        """Those that follow a topic, in the order they were given."""
        return [handler for handler in self.handlers if handler.record.topic == topic]
