"""Traces say what a request caused, over HTTP and Kafka, and cost nothing where nobody collects them."""

import json
from collections.abc import Iterator, Sequence

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from house import houses
from house.consuming import Log, an_envelope, building
from house.records import HouseBuilt
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from chassis import due, exporting, tracing
from chassis.consumers import Consumer
from chassis.consumers.batches import Batches
from chassis.consumers.parking import Raw
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.due import Due, DueItem, DueWorker
from chassis.health import Health
from chassis.http import correlation
from chassis.http.app import build
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.clock import FixedClock

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_RECORDED = ASKED.removesuffix("1") + "0"
ELSEWHERE = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


class Collected:
    """What was recorded so far."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()

    def record(self, share: float, *, decides: bool = False) -> None:
        provider = TracerProvider(sampler=exporting.sampler(share, decides=decides), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        tracing.record_with(provider.get_tracer("tests"))

    def __iter__(self) -> Iterator[ReadableSpan]:
        return iter(self._exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self if span.name == name]
        return found


@pytest.fixture
def collected() -> Iterator[Collected]:
    collected = Collected()
    collected.record(share=0)
    yield collected
    tracing.record_with(None)


def text(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def trace_id(span: ReadableSpan) -> str:
    return text(span)[3:35]


def linked(span: ReadableSpan) -> list[str]:
    return [f"00-{link.context.trace_id:032x}-{link.context.span_id:016x}-01" for link in span.links]


def an_application() -> FastAPI:
    router = APIRouter()

    @router.get("/v1/houses/{house_id}")
    async def one(house_id: str) -> str | None:
        now = correlation.current()
        return now.traceparent if now else None

    return build(title="houses", routers=[router], health=Health())


async def ask(path: str, traceparent: str | None = None) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(an_application()), base_url="http://houses") as client:
        return await client.get(path, headers={"traceparent": traceparent} if traceparent else {})


async def told_by(work: WorkerDatabase) -> list[str | None]:
    async with work.direct() as connection:
        rows = await connection.fetch("select headers::jsonb as headers from outbox where topic = 'house.built' order by id")
    return [dict(json.loads(row["headers"])).get("traceparent") for row in rows]


def test_a_callers_trace_id_does_not_choose_to_be_recorded() -> None:
    """Nor not to be; and what is inside goes with what is around it."""
    sampler = exporting.sampler(0.5, decides=True)

    def recorded(trace: int) -> float:
        span = SpanContext(trace, 1, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        caller = set_span_in_context(NonRecordingSpan(span))
        return sum(sampler.should_sample(caller, trace, "asked").decision.is_sampled() for _ in range(1_000)) / 1_000

    assert 0.3 < recorded(0xA << 64) < 0.7
    assert 0.3 < recorded((0xA << 64) | (2**64 - 1)) < 0.7
    inside = set_span_in_context(NonRecordingSpan(SpanContext(0xA, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))))
    assert all(sampler.should_sample(inside, 0xA, "piece").decision.is_sampled() for _ in range(100))


async def test_a_request_is_a_piece_of_its_callers_trace_and_passes_it_on(collected: Collected) -> None:
    passed_on = (await ask("/v1/houses/7", ASKED)).json()

    span = collected.named("GET /v1/houses/{house_id}")
    assert (trace_id(span), span.parent and span.parent.span_id) == (ASKED[3:35], int(ASKED[36:52], 16))
    assert passed_on == text(span)
    assert span.attributes == {"http.request.method": "GET", "http.route": "/v1/houses/{house_id}", "http.response.status_code": 200}


@pytest.mark.parametrize("traceparent", [NOT_RECORDED, None, "00-0-0-0"])
async def test_what_the_door_does_not_record_nobody_behind_it_records(collected: Collected, traceparent: str | None) -> None:
    await ask("/v1/houses/7", traceparent)

    assert list(collected) == []


@pytest.mark.parametrize(("share", "recorded"), [(0, 0), (1, 1)])
async def test_the_door_decides_whatever_its_caller_says(collected: Collected, share: float, recorded: int) -> None:
    collected.record(share, decides=True)
    passed_on = (await ask("/v1/houses/7", ASKED if share == 0 else NOT_RECORDED)).json()

    assert len(list(collected)) == recorded
    assert passed_on[3:35] == ASKED[3:35]
    assert passed_on.endswith(f"-0{recorded}")


async def test_questions_about_health_are_not_recorded(collected: Collected) -> None:
    collected.record(share=1)
    await ask("/health/live", ASKED)
    await ask("/metrics", ASKED)

    assert list(collected) == []


async def test_a_batch_links_to_its_causes_and_what_an_event_causes_continues_its_trace(
    collected: Collected, worker_database: WorkerDatabase
) -> None:
    await apply(worker_database, [ASKED, ELSEWHERE, NOT_RECORDED, None])

    batch = collected.named("houses batch")
    assert linked(batch) == [ASKED, ELSEWHERE]
    assert trace_id(batch) not in {ASKED[3:35], ELSEWHERE[3:35]}
    items = [span for span in collected if span.name == "take house.built"]
    assert [trace_id(item) for item in items] == [ASKED[3:35], ELSEWHERE[3:35]]
    assert [linked(item) for item in items] == [[text(batch)]] * 2
    first, second, unrecorded, untraced = await told_by(worker_database)
    assert (first, second, untraced) == (text(items[0]), text(items[1]), None)
    assert tracing.trace_of(unrecorded) == ASKED[3:35]


async def test_a_batch_that_nobody_records_is_none(collected: Collected, worker_database: WorkerDatabase) -> None:
    await apply(worker_database, [NOT_RECORDED, None, "\x00nonsense", "00-ff"])

    assert list(collected) == []
    assert len(await told_by(worker_database)) == 3


async def test_due_work_begins_a_trace_that_links_to_what_planned_it(
    collected: Collected, api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, principal: Principal
) -> None:
    async def build(tx: Transaction, item: DueItem) -> None:
        await houses.build(tx, item.slot)

    for slot, traceparent in (("asked", ASKED), ("unasked", None)):
        async with api_database.change(principal, correlation=correlation.Correlation("r-1", traceparent)) as tx:
            await due.plan(tx, "house.build", new_id(), slot=slot, at=clock.now())
    worker = DueWorker([Due("house.build", build)], worker_database, clock)
    while await worker.work_one():
        pass

    span = collected.named("due house.build")
    assert linked(span) == [ASKED]
    assert trace_id(span) != ASKED[3:35]
    assert text(span) in await told_by(worker_database)


async def test_without_a_collector_contexts_pass_as_they_came(worker_database: WorkerDatabase) -> None:
    passed_on = (await ask("/v1/houses/7", ASKED)).json()
    await apply(worker_database, [ASKED, None])

    assert passed_on == ASKED
    assert await told_by(worker_database) == [ASKED, None]


async def apply(database: WorkerDatabase, traceparents: Sequence[str | None]) -> None:
    batches = Batches(database, Consumer(group="houses", handlers=[building]), prefix="")
    await batches.apply([raw(log, one) for log in [Log()] for one in traceparents])


def raw(log: Log, traceparent: str | None) -> Raw:
    made = log.raw(HouseBuilt(name="Villa").payload(), an_envelope("house.built", new_id(), 1))
    more = (("traceparent", traceparent.encode()),) if traceparent else ()
    return Raw(place=made.place, key=made.key, headers=(*made.headers, *more), payload=made.payload, timestamp_ms=0)
