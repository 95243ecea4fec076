"""P1 to P3: what a signed-in partner's requests cost a service, in its process alone."""

import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from benchmarks.frame import Round, at_least, at_most, row
from benchmarks.load import Client
from benchmarks.processes import Process, ours, python
from benchmarks.stage import Stage

_CLIENTS: Final = 8
_CONNECTIONS: Final = 8
_WARMING: Final = 300
_AGAINST: Final = "bare ASGI, asyncpg and msgspec with the same statements"


@row(
    "P1",
    "list of 50 customers from 100,000",
    against=_AGAINST,
    unit="µs CPU",
    bar=at_least(0.60, aim=0.80),
    cause="a seventh is making fifty views of rows and their bytes, an eighteenth the log's line, the request's id and metrics, a twelfth"
    " who asks and what it may, a twentieth the framework's layers; the rest, statements and sockets, the limit has too",
)
async def lists(stage: Stage) -> AsyncIterator[Round]:
    async with _both(stage) as (service, bare):
        asked = itertools.repeat("/v1/customers")
        while True:
            yield Round(ours=await _cost(stage, service, asked, 500), limit=await _cost(stage, bare, asked, 500))


@row(
    "P2",
    "get of one customer",
    against=_AGAINST,
    unit="µs CPU",
    bar=at_least(0.48, aim=0.70),
    cause="a fourteenth is the log's line, the request's id and metrics, a tenth who asks and what it may, a twentieth the view and its"
    " bytes, a twentieth the framework's layers; the rest, statements and sockets, the limit has too",
)
async def gets(stage: Stage) -> AsyncIterator[Round]:
    async with _both(stage) as (service, bare):
        asked = await _each_customer(stage)
        while True:
            yield Round(ours=await _cost(stage, service, asked, 1500), limit=await _cost(stage, bare, asked, 1500))


@row("P3", "p99 of gets with 4 clients for each connection", against="their p50", unit="ms", bar=at_most(3, aim=1.7))
async def patience(stage: Stage) -> AsyncIterator[Round]:
    async with stage.process("customers", *python("customers", "api")) as service:
        asked, client = await _each_customer(stage), await stage.client(service.url)
        await client.drive(map(client.get, asked), clients=_CLIENTS, most=_WARMING)
        while True:
            driven = await client.drive(map(client.get, asked), clients=4 * _CONNECTIONS, most=3000)
            yield Round(ours=driven.percentile(99) * 1e3, limit=driven.percentile(50) * 1e3)


@asynccontextmanager
async def _both(stage: Stage) -> AsyncIterator[tuple[Process, Process]]:
    """The service's API and the bare application, warm."""
    customers = await stage.customers()
    claims = json.loads(base64.urlsafe_b64decode((await stage.headers())["authorization"].split(".")[1] + "=="))
    principal = json.dumps({"user": claims["sub"], "partner": claims["partner"], "gen": claims["gen"]})
    sample = ours({"PARTNERDECK_BENCH_CUSTOMER": str(customers[0])})
    bare = stage.process("customers", *python("benchmarks.bare.reads", principal), ready="/v1/customers", **sample)
    async with stage.process("customers", *python("customers", "api")) as service, bare as limit:
        for process in (service, limit):
            for asked in (itertools.repeat("/v1/customers"), await _each_customer(stage)):
                await _cost(stage, process, asked, _WARMING)
        yield service, limit


async def _cost(stage: Stage, process: Process, paths: Iterator[str], most: int) -> float:
    """CPU time of a request in microseconds."""
    client: Client = await stage.client(process.url)
    began = process.cpu_seconds
    await client.drive(map(client.get, paths), clients=_CLIENTS, most=most)
    return (process.cpu_seconds - began) / most * 1e6


async def _each_customer(stage: Stage) -> Iterator[str]:
    return itertools.cycle([f"/v1/customers/{customer_id}" for customer_id in await stage.customers()])
