"""A service as a process: its HTTP application, consumers, due work and relay, one by one or all in one.

``serve`` runs everything in one process; ``api``, ``worker`` and ``relay`` are its parts, which
ops teams scale one by one. SIGTERM drains: the door closes first, then what is in hand is finished.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from fastapi import APIRouter, FastAPI

from chassis import memory
from chassis.access.asking import Asking
from chassis.access.confirming import Confirming
from chassis.access.freshness import Freshness
from chassis.audit.sealing import Sealing
from chassis.backlogs import Backlogs
from chassis.bundles.portable import Portable
from chassis.bundles.portable import routers as parts
from chassis.clock import Clock, SystemClock
from chassis.consumers.handlers import Consumer
from chassis.consumers.worker import ConsumerWorker
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.due import Due, DueWorker
from chassis.health import Health
from chassis.housekeeping import Chore, Housekeeping
from chassis.http.app import build
from chassis.http.calls import Rails
from chassis.jobs import JobKind
from chassis.jobs.ending import forget_jobs
from chassis.jobs.routes import routers
from chassis.jobs.running import due_work
from chassis.keys import KeySet
from chassis.loops import Loop, Loops
from chassis.policies import Kinds
from chassis.policies import routes as policies
from chassis.policies.trying import Trial
from chassis.relay import Relay
from chassis.relay.beating import Heart
from chassis.retelling import Retelling
from chassis.serving import serve
from chassis.settings import ServiceSettings
from chassis.ticks.answering import Answering
from chassis.ticks.following import FOLLOW
from chassis.tokens import Verifier

log = structlog.get_logger()

type Part = Literal["api", "worker", "relay"]

EVERYTHING: Final[frozenset[Part]] = frozenset({"api", "worker", "relay"})
_FOR_RIGHTS: Final = 2
"""Connections: a batch, and what is written beside it."""
_PATIENCE: Final = 3
"""Failures in a row after which a part is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What makes one service, composed in its ``app.py`` and nowhere else.

    ``keys`` are at hand in the service that signs tokens, and fetched from ``keys_url`` by all
    others. ``tools`` are what its routes need besides the database.
    """

    name: str
    settings: ServiceSettings
    migrations: Path
    routers: Sequence[APIRouter] = ()
    consumers: Sequence[Consumer] = ()
    states: Sequence[str] = ()
    """The topics that it tells states to: they get beats (``contracts.catalogue.states_of``)."""
    due: Sequence[Due] = ()
    jobs: Sequence[JobKind] = ()
    policies: Kinds | None = None
    trials: Mapping[str, Trial] = field(default_factory=dict)
    """How its policies are tried, by their kinds."""
    portable: Portable | None = None
    """Its part of bundles, where it keeps something of customers that others do not tell it."""
    keys: KeySet | None = None
    tools: Any = None
    chores: Sequence[Chore] = ()
    retellings: Sequence[Retelling[Any]] = ()
    """How its entities' states are told anew (``retell``)."""
    follows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Which of its tables follow a kind of entity by ``id`` and ``version``: what a consistency token waits for."""


class Process:
    """The parts of a service that one process runs."""

    def __init__(self, service: Service, parts: frozenset[Part], *, clock: Clock | None = None) -> None:
        self._service = service
        self._parts = parts
        self._clock = clock or SystemClock()
        self._settings = service.settings
        self._database = service.settings.database(service.name)
        self._health = Health()
        self._head_seen = False
        self._api: ApiDatabase | None = ApiDatabase(self._database, self._clock) if "api" in parts else None
        self._work: WorkerDatabase | None = WorkerDatabase(self._database, self._clock) if parts - {"api"} else None
        self._rights = self._for_rights() if "worker" in parts else None
        self._access = self._confirming(self._api) if self._api is not None else None
        self._loops = list(self._make_loops())
        self._running = Loops(self._loops)

    def app(self) -> FastAPI:
        """The HTTP application; a process without ``api`` answers for its health alone."""
        rails = None
        if self._api is not None:
            keys = self._service.keys or KeySet(url=self._settings.keys_url)
            rails = Rails(
                database=self._api,
                verifier=Verifier(keys),
                clock=self._clock,
                tools=self._service.tools,
                follows=self._service.follows,
                access=self._access,
            )
        return build(
            title=f"Partnerdeck {self._service.name}",
            routers=self._routers() if rails else (),
            health=self._health,
            state=rails,
            lifespan=self._lifespan,
        )

    def _routers(self) -> Sequence[APIRouter]:
        one = self._service
        return (*one.routers, *routers(one.name, one.jobs), *policies.routers(one.name, one.policies, one.trials), *parts(one.portable))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. A part that fails for good ends the process."""
        await serve(self.app(), host=self._settings.http_host, port=self._settings.http_port, stopping=self._running.stop)
        if self._running.failed:
            raise SystemExit(1)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            for database in (self._api, self._work, self._rights):
                if database is not None:
                    await database.open()
                    opened.push_async_callback(database.close)
            if self._access is not None:
                opened.push_async_callback(self._access.asking.close)
            self._watch()
            memory.settle()
            async with self._running.running():
                log.info("service_started", parts=sorted(self._parts))
                yield
            log.info("service_stopped")

    def _for_rights(self) -> WorkerDatabase | None:
        """Who may do what is followed on connections of its own: it waits for no other work."""
        if not any(one.hears_beats for one in self._service.consumers):
            return None
        return WorkerDatabase(self._database, self._clock, connections=_FOR_RIGHTS, pool="rights")

    def _confirming(self, database: ApiDatabase) -> Confirming | None:
        """How rights are confirmed; in customers itself, which has no address of customers, they need not be."""
        if self._settings.customers_url is None:
            return None
        return Confirming(Freshness(database, self._clock), Asking(self._settings.customers_url))

    def _make_loops(self) -> Sequence[Loop]:
        loops: list[Loop] = [self._access.freshness] if self._access is not None else []
        if self._work is None:
            return loops
        kafka, prefix = self._settings.kafka, self._settings.topic_prefix
        if "worker" in self._parts:
            for one in self._service.consumers:
                database = (self._rights if one.hears_beats else None) or self._work
                loops.append(ConsumerWorker(one, database, kafka=kafka, prefix=prefix, slot=self._settings.slot))
            loops += self._hands(self._work)
            loops.append(Sealing(self._work))
            loops.append(Housekeeping(self._work, self._clock, (forget_jobs, *self._service.chores)))
            loops.append(Backlogs(self._work, self._clock))
            if self._follows_clocks:
                loops.append(Answering(self._service.name, self._service.consumers, self._work, self._clock, kafka=kafka, prefix=prefix))
        if "relay" in self._parts:
            heart = Heart(self._service.name, self._service.states, self._clock)
            loops.append(Relay(self._work, kafka=kafka, prefix=prefix, heart=heart))
        return loops

    def _hands(self, database: WorkerDatabase) -> Sequence[Loop]:
        kinds = (*self._service.due, *due_work(self._service.jobs))
        inside, outside = [one for one in kinds if not one.outside], [one for one in kinds if one.outside]
        waiting = [DueWorker(outside, database, self._clock, name="due work outside")] if outside else []
        return [DueWorker(inside, database, self._clock), *waiting]

    @property
    def _follows_clocks(self) -> bool:
        return any(FOLLOW in consumer.handlers for consumer in self._service.consumers)

    def _watch(self) -> None:
        """Say what must hold for this process to be ready."""
        for name, database in (
            ("database for requests", self._api),
            ("database for work", self._work),
            ("database for rights", self._rights),
        ):
            if database is not None:
                self._health.add(name, database.ping)
        self._health.add("schema", self._at_head)
        if self._access is not None and "worker" not in self._parts:
            self._health.add("access caught up at start", _caught_up(self._access.freshness))
        for loop in self._loops:
            self._health.add(f"{loop.name} works", _works(loop))
            if isinstance(loop, ConsumerWorker):
                self._health.add(f"{loop.name} caught up at start", _caught_up(loop))
                self._health.add(f"{loop.name} keeps up", _knows_enough(loop))
            if isinstance(loop, Relay):
                self._health.add(f"{loop.name} keeps up", _keeps_up(loop))

    async def _at_head(self) -> bool:
        """Whether the schema is as new as this code; it does not go back."""
        database = self._work or self._api
        if database is not None and not self._head_seen:
            self._head_seen = not await database.pending(self._service.migrations)
        return self._head_seen


def _works(loop: Loop) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return loop.failures < _PATIENCE

    return check


def _caught_up(loop: ConsumerWorker | Freshness) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return loop.caught_up

    return check


def _knows_enough(loop: ConsumerWorker) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return loop.keeps_up

    return check


def _keeps_up(relay: Relay) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return not relay.stuck

    return check
