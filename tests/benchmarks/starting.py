"""P17: how soon a service answers, and what the suite keeps in memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from benchmarks.frame import Round, row
from benchmarks.processes import python
from benchmarks.stage import Stage
from onebox.status import Status

_SERVICES: Final = ("customers", "licensing", "reporting", "notifications", "gateway", "billing")
_CPU: Final = 0.6
_IMPORTS: Final = "about half are the imports of FastAPI and SQLAlchemy"


@row("P17a", "start of the customers service to its first 200", against="the aim", unit="s", cause=_IMPORTS)
async def first_answer(stage: Stage) -> AsyncIterator[Round]:
    async with stage.without("customers"):
        while True:
            began = time.perf_counter()
            async with stage.process("customers", *python("customers", "serve"), ready="/health/live"):
                yield Round(ours=time.perf_counter() - began, limit=_CPU)


@row("P17b", "processor time of that start", against="the aim", unit="s CPU", cause=_IMPORTS)
async def start_cost(stage: Stage) -> AsyncIterator[Round]:
    async with stage.without("customers"):
        while True:
            async with stage.process("customers", *python("customers", "serve"), ready="/health/live") as started:
                yield Round(ours=started.cpu_seconds, limit=_CPU)


@row(
    "P17c",
    "memory of the services, their workers, the gateway and the billing consumer (PSS)",
    against="the aim",
    unit="MB",
    cause="each process keeps its own FastAPI and SQLAlchemy",
)
async def memory(stage: Stage) -> AsyncIterator[Round]:
    while True:
        yield Round(ours=sum(_megabytes(pid) for pid in _pids(stage)), limit=400)
        await asyncio.sleep(0.5)


def _pids(stage: Stage) -> list[int]:
    entries = (Status.read(stage.suite.home).named(name) for name in _SERVICES)
    return [entry.pid for entry in entries if entry is not None and entry.pid is not None]


def _megabytes(pid: int) -> float:
    """The process's proportional part of the memory that it maps."""
    said = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in said if line.startswith("Pss:")) / 1000
