"""P18: what users of an open subscription platform get, asked of ours through the gateway.

Kill Bill 0.24.19 on the same PostgreSQL, 16 clients; its figures are of another run on two cores, so nothing is judged.
"""

import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final
from uuid import UUID

from benchmarks.creating import creations
from benchmarks.frame import Round, row
from benchmarks.load import Client
from benchmarks.showing import change, changes, until_shown
from benchmarks.stage import Stage

_CLIENTS: Final = 16
_SECONDS: Final = 3
_CREATED: Final = 200
_TOLD: Final = 3000
_AT_ONCE: Final = 500
_KILL_BILL: Final = "Kill Bill 0.24.19 in a run of its own"


def _asked(name: str, work: str, requests: Callable[[Client, list[str]], Iterator[bytes]], kill_bill: float) -> None:
    @row(name, work, against=_KILL_BILL, unit="/s", rate=True)
    async def asked(stage: Stage) -> AsyncIterator[Round]:
        customers = [str(one) for one in await stage.customers()]
        while True:
            client = await stage.client()
            driven = await client.drive(requests(client, customers), clients=_CLIENTS, seconds=_SECONDS)
            yield Round(ours=driven.per_second, limit=kill_bill)


_asked("P18a", "create a customer", lambda client, _: creations(client), 456)
_asked("P18c", "get a customer", lambda client, ids: itertools.cycle([client.get(f"/v1/customers/{one}") for one in ids]), 5036)
_asked("P18d", "list 100 of 100,000", lambda client, _: itertools.repeat(client.get("/v1/customers?limit=100")), 661)
_asked(
    "P18e",
    "search 100,000 by a fragment of the name",
    lambda client, _: itertools.cycle([client.get(f"/v1/customers?limit=100&q=ginkgo+freight+{number}") for number in range(10, 99)]),
    33,
)


@row("P18b", "customers with a trial, created and provisioned", against=_KILL_BILL, unit="/s", rate=True)
async def provisioned(stage: Stage) -> AsyncIterator[Round]:
    async with stage.database("licensing") as licensing:
        count = "select count(*) from subscriptions"
        while True:
            client, before, began = await stage.client(), await licensing.fetchval(count), time.perf_counter()
            await client.drive(creations(client), clients=_CLIENTS, most=_CREATED)
            while await licensing.fetchval(count) < before + _CREATED:
                pass
            yield Round(ours=_CREATED / (time.perf_counter() - began), limit=59)


@row("P18f", "changes that show in another service, sustained", against=_KILL_BILL, unit="/s", rate=True)
async def delivered(stage: Stage) -> AsyncIterator[Round]:
    customers, partner_id = (await stage.customers())[-_TOLD:], await stage.partner_id()
    async with changes(stage) as database, stage.database("reporting") as reporting:
        while True:
            waited: dict[UUID, int] = {}
            for some in itertools.batched(customers, _AT_ONCE, strict=False):
                waited |= await change(database, partner_id, some)
            began = time.perf_counter()
            async for _ in until_shown(reporting, waited):
                if not waited:
                    break
            yield Round(ours=_TOLD / (time.perf_counter() - began), limit=400)
