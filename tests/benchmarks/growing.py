"""P15: a partner with a million customers, beside one with a thousand in the same tables: list, get, search by a fragment of the name."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from benchmarks.frame import Round, at_most, row
from benchmarks.load import Client
from benchmarks.processes import Process, python
from benchmarks.stage import Stage

FEW: Final = 1_000
MANY: Final = 1_000_000
_ASKED: Final = 400
_FOR: Final = 10.0
"""Seconds of asking, at most, a median."""
_AGAINST: Final = "the same with 1,000"

type Paths = Callable[[Sequence[UUID]], Sequence[str]]


@row("P15a", "median list of 50 of a partner's 1,000,000 customers", against=_AGAINST, unit="ms", bar=at_most(1.5, aim=1.1))
async def lists(stage: Stage) -> AsyncIterator[Round]:
    async for measured in _grown(stage, lambda _: ["/v1/customers"]):
        yield measured


@row("P15b", "median get of one of 1,000,000", against=_AGAINST, unit="ms", bar=at_most(1.5, aim=1.1))
async def gets(stage: Stage) -> AsyncIterator[Round]:
    async for measured in _grown(stage, lambda customers: [f"/v1/customers/{one}" for one in customers]):
        yield measured


@row("P15c", "median search of 1,000,000 by a fragment that one name has", against=_AGAINST, unit="ms", bar=at_most(4, aim=2))
async def searches(stage: Stage) -> AsyncIterator[Round]:
    async for measured in _grown(stage, lambda _: [f"/v1/customers?q=freight%20{number}4" for number in range(11, 99, 5)]):
        yield measured


async def _grown(stage: Stage, paths: Paths) -> AsyncIterator[Round]:
    few, many = await stage.partner_with(FEW), await stage.partner_with(MANY)
    async with stage.process("customers", *python("customers", "api")) as process:
        medians = [partial(_median, stage, process, one, paths) for one in (few, many)]
        for median in medians:
            await median()
        while True:
            limit, ours = [await median() for median in medians]
            yield Round(ours=ours, limit=limit)


async def _median(stage: Stage, process: Process, email: str, paths: Paths) -> float:
    client = Client(process.url, await stage.headers(email))
    asked = itertools.cycle([client.get(path) for path in paths(await stage.customers_of(email))])
    return (await client.drive(asked, clients=1, most=_ASKED, seconds=_FOR)).percentile(50) * 1e3
