"""P8 and P9: what the gateway's hop costs, and how much later an answer comes through it."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from benchmarks.bare.nginx import forwarding
from benchmarks.frame import Round, at_least, at_most, row
from benchmarks.processes import Process, ours, python
from benchmarks.stage import Stage

_PATH: Final = "/v1/customers/0193f0aa-0000-7000-8000-000000000000"
_UNLIMITED: Final = "1000000"
_CLIENTS: Final = 32
_AT_ONCE: Final = 4000
_ALONE: Final = 800


class _Doors(NamedTuple):
    upstream: Process
    gateway: Process
    nginx: Process


@row(
    "P8",
    "the gateway's hop with limits, metrics and identity, small body, 32 clients",
    against="nginx as a plain proxy",
    unit="µs CPU",
    bar=at_least(0.20, aim=0.30),
    cause="a third is uvicorn with a bare ASGI function and the hand-over to pyreqwest's thread and back, alone four times nginx;"
    " a fifth the request's id, its line in the log and metrics; a sixth each the door (path, token, rate), limits with the deadline,"
    " and heads with the watch over the caller",
)
async def hop(stage: Stage) -> AsyncIterator[Round]:
    async with _doors(stage) as doors:
        while True:
            yield Round(ours=await _cost(stage, doors.gateway), limit=await _cost(stage, doors.nginx))


@row(
    "P9",
    "how much later the median answer comes through the gateway, 1 client",
    against="how much later it comes through nginx",
    unit="ms",
    bar=at_most(1.8, aim=1.2),
    cause="two fifths are uvicorn and the hand-over to pyreqwest's thread and back; then P8's other parts are passed one after another",
)
async def added(stage: Stage) -> AsyncIterator[Round]:
    async with _doors(stage) as doors:
        while True:
            upstream, gateway, nginx = [await _median(stage, process) for process in doors]
            yield Round(ours=gateway - upstream, limit=max(nginx - upstream, 0.0))


@asynccontextmanager
async def _doors(stage: Stage) -> AsyncIterator[_Doors]:
    async with (
        stage.process("gateway", *python("benchmarks.bare.upstream"), ready="/", **ours({})) as upstream,
        stage.process(
            "gateway",
            *python("gateway", "serve"),
            ready="/health/live",
            GATEWAY_CUSTOMERS_URL=upstream.url,
            GATEWAY_PARTNER_REQUESTS_PER_SECOND=_UNLIMITED,
        ) as gateway,
        forwarding(upstream.url, stage.folder) as nginx,
    ):
        doors = _Doors(upstream, gateway, nginx)
        for process in (gateway, nginx):
            await _cost(stage, process)
        yield doors


async def _cost(stage: Stage, process: Process) -> float:
    client = await stage.client(process.url)
    began = process.cpu_seconds
    await client.drive(itertools.repeat(client.get(_PATH)), clients=_CLIENTS, most=_AT_ONCE)
    return (process.cpu_seconds - began) / _AT_ONCE * 1e6


async def _median(stage: Stage, process: Process) -> float:
    client = await stage.client(process.url)
    driven = await client.drive(itertools.repeat(client.get(_PATH)), clients=1, most=_ALONE)
    return driven.percentile(50) * 1e3
