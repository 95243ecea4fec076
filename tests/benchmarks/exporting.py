"""P10: a hundred thousand customers as a CSV file: how fast, in how much memory, and what a neighbour feels of it."""

import asyncio
import itertools
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx

from benchmarks.frame import NotHere, Round, at_least, at_most, row
from benchmarks.processes import Process, python
from benchmarks.stage import Stage

_PATH: Final = "/v1/customers/export.csv"
_AN_EIGHTH: Final = f"{_PATH}?q=alder"
_KEPT: Final = """copy (
  select id, partner_id, name, status, management_type, communications_mode, account_type, domain,
         company ->> 'address_1', company ->> 'address_2', company ->> 'address_3', company ->> 'city', company ->> 'postal_code',
         company ->> 'region', company ->> 'country', company ->> 'phone', company ->> 'website', contact ->> 'name',
         contact ->> 'email', contact ->> 'phone', contact ->> 'language', contact ->> 'time_zone',
         array_to_string(tags, ', '), data_region, created_at
    from customers where status not in ('deleted', 'purged', 'rejected') order by name_key, id) to stdout csv header"""
_PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")
_GETS: Final = 400


@row(
    "P10a",
    "export of 100,000 customers as CSV, formulas guarded, 1 client",
    against="psql's COPY of the same columns",
    unit="rows/s",
    rate=True,
    bar=at_least(0.60, aim=0.75),
)
async def exported(stage: Stage) -> AsyncIterator[Round]:
    async with _exporting(stage) as (_, client):
        while True:
            yield Round(ours=await _rows_per_second(client), limit=await _copied_per_second(stage))


@row(
    "P10b",
    "growth of resident memory at eight times the rows",
    against="1 MB",
    unit="MB",
    bar=at_most(8, aim=3),
)
async def growth(stage: Stage) -> AsyncIterator[Round]:
    async with _exporting(stage) as (process, client):
        while True:
            await _lines(client, _AN_EIGHTH)
            before = _peak(process)
            await _lines(client, _PATH)
            yield Round(ours=max(_peak(process) - before, 0.01), limit=1.0)


@row(
    "P10c", "median get of one customer while others are exported", against="the same with nobody else", unit="ms", bar=at_most(3, aim=1.6)
)
async def neighbours(stage: Stage) -> AsyncIterator[Round]:
    async with _exporting(stage) as (process, client):
        while True:
            alone = await _median(stage, process)
            exporting = asyncio.create_task(_for_ever(client))
            beside = await _median(stage, process)
            exporting.cancel()
            yield Round(ours=beside, limit=alone)


@asynccontextmanager
async def _exporting(stage: Stage) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    await stage.customers()
    async with (
        stage.process("customers", *python("customers", "api")) as process,
        httpx.AsyncClient(base_url=process.url, headers=await stage.headers(), timeout=60, trust_env=False) as client,
    ):
        await _lines(client, _AN_EIGHTH)
        yield process, client


async def _lines(client: httpx.AsyncClient, path: str) -> int:
    async with client.stream("GET", path) as answer:
        answer.raise_for_status()
        return sum([piece.count(b"\n") async for piece in answer.aiter_raw()])


async def _rows_per_second(client: httpx.AsyncClient) -> float:
    began = perf_counter()
    return await _lines(client, _PATH) / (perf_counter() - began)


async def _copied_per_second(stage: Stage) -> float:
    program = shutil.which("psql")
    if program is None:
        raise NotHere("psql is not installed here (Debian, Ubuntu: apt-get install postgresql-client)")
    settings, file = stage.settings("customers"), stage.folder / "copied.csv"
    where = ["-h", settings.host, "-p", str(settings.port), "-U", settings.user("owner"), "-d", settings.name, "-o", str(file)]
    began = perf_counter()
    copying = await asyncio.create_subprocess_exec(
        *(program, "-X", "-q", *where, "-c", _KEPT), env={**os.environ, "PGPASSWORD": settings.password("owner")}
    )
    if await copying.wait():
        raise RuntimeError("psql failed")
    took = perf_counter() - began
    return (await asyncio.to_thread(file.read_bytes)).count(b"\n") / took


async def _for_ever(client: httpx.AsyncClient) -> None:
    while True:
        await _lines(client, _PATH)


async def _median(stage: Stage, process: Process) -> float:
    client = await stage.client(process.url)
    asked = itertools.cycle([client.get(f"/v1/customers/{customer_id}") for customer_id in await stage.customers()])
    driven = await client.drive(asked, clients=1, most=_GETS)
    return driven.percentile(50) * 1e3


def _peak(process: Process) -> float:
    """The most that it has ever had in memory, in MB."""
    found = _PEAK.search(Path(f"/proc/{process.pid}/status").read_text())
    if found is None:
        raise NotHere("the kernel does not say how much memory a process has had at most")
    return int(found[1]) / 1024
