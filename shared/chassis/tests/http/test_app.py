"""The document says what is true, and every service has the same rails."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request
from structlog.testing import LogCapture

from chassis import logs
from chassis.health import Health
from chassis.http import correlation
from chassis.http.app import build
from chassis.http.bodies import Body

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class House(Body):
    name: str


def houses() -> APIRouter:
    router = APIRouter(prefix="/v1/houses", tags=["houses"])

    @router.post("", status_code=201)
    async def create(body: House) -> dict[str, str]:
        return {"name": body.name}

    @router.get("/{house}")
    async def get(house: str, request: Request) -> dict[str, str | None]:
        now = correlation.current()
        assert now is not None
        return {"house": house, "service": request.app.state.service, "request_id": now.request_id, "traceparent": now.traceparent}

    return router


@asynccontextmanager
async def client_of(health: Health | None = None) -> AsyncIterator[httpx.AsyncClient]:
    app = build(title="Houses", routers=[houses()], health=health or Health(), state="licensing")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    capture, configured = LogCapture(), structlog.get_config()
    structlog.configure(processors=[logs.merge_bound, capture])
    yield capture.entries  # type: ignore[misc]
    structlog.configure(**configured)


async def test_every_operation_promises_problems_and_nothing_else() -> None:
    async with client_of() as client:
        document = (await client.get("/openapi.json")).json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {operation["operationId"] for operation in operations} == {"houses_create", "houses_get"}
    for operation in operations:
        refused = operation["responses"]["4XX"]["content"]
        assert refused == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert "422" not in operation["responses"]
    assert "HTTPValidationError" not in json.dumps(document)
    assert document["components"]["schemas"]["Problem"]["required"]


def test_two_operations_of_one_name_are_refused_at_start() -> None:
    with pytest.raises(ValueError, match="houses_create, houses_get"):
        build(title="Houses", routers=[houses(), houses()], health=Health())


async def test_an_answer_carries_the_callers_request_id_and_trace() -> None:
    async with client_of() as client:
        answer = await client.get("/v1/houses/7", headers={"x-request-id": "order-7", "traceparent": TRACE})

    assert answer.headers["x-request-id"] == "order-7"
    assert answer.json() == {"house": "7", "service": "licensing", "request_id": "order-7", "traceparent": TRACE}


@pytest.mark.parametrize("strange", ["", "a b", "x" * 65, "-", "a\tb", "é"])
async def test_a_strange_request_id_is_replaced(strange: str) -> None:
    async with client_of() as client:
        answer = await client.get("/v1/houses/7", headers=[(b"x-request-id", strange.encode()), (b"traceparent", b"00-0-0-0")])

    assert len(answer.headers["x-request-id"]) == 36
    assert answer.json()["traceparent"] is None


async def test_one_line_is_logged_per_request_without_its_query(lines: list[dict[str, object]]) -> None:
    async with client_of() as client:
        await client.get("/v1/houses/7?q=ada@example.com", headers={"x-request-id": "order-7"})

    (line,) = lines
    assert (line["event"], line["route"], line["status"], line["request_id"]) == ("request_answered", "/v1/houses/{house}", 200, "order-7")
    assert "ada" not in str(line)


async def test_requests_are_measured_by_template() -> None:
    async with client_of() as client:
        await client.get("/v1/houses/7")
        await client.get("/v1/nowhere/7")
        measured = (await client.get("/metrics")).text

    assert 'http_request_seconds_count{method="GET",route="/v1/houses/{house}",status="200"}' in measured
    assert 'route="unmatched",status="404"' in measured
    assert "houses/7" not in measured


async def test_a_service_is_ready_when_every_check_holds_and_alive_without() -> None:
    async def holds() -> None: ...

    async def fails() -> bool:
        raise OSError("10.0.0.1 refused")

    async with client_of(Health({"database": holds})) as client:
        ready = await client.get("/health/ready")
    async with client_of(Health({"database": holds, "kafka": fails})) as client:
        not_ready, live = await client.get("/health/ready"), await client.get("/health/live")

    assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": {"database": True}})
    assert (not_ready.status_code, not_ready.json()) == (503, {"ready": False, "checks": {"database": True, "kafka": False}})
    assert live.status_code == 200


async def test_the_lifespan_is_entered() -> None:
    entered = list[str]()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        entered.append(app.title)
        yield

    app = build(title="Houses", routers=[], health=Health(), lifespan=lifespan)
    async with app.router.lifespan_context(app):
        assert entered == ["Houses"]
