"""A service that is down is not asked in vain, and nothing is done twice on the way to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from gateway_stage import Stage, a_stage, signed_in

from chassis_testing.waiting import eventually
from gateway import upstreams
from gateway.circuits import PAUSE, THRESHOLD, Circuit, RetryBudget


class Hand:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_circuit_opens_after_failures_in_a_row_and_probes_once_a_pause() -> None:
    clock = Hand()
    circuit = Circuit(clock)
    for _ in range(THRESHOLD - 1):
        circuit.failed()
    circuit.succeeded()
    for _ in range(THRESHOLD):
        assert circuit.admits()
        circuit.failed()

    assert not circuit.admits()
    clock.at += PAUSE
    assert [circuit.admits() for _ in range(3)] == [True, False, False]
    circuit.failed()
    clock.at += PAUSE / 2
    assert not circuit.admits()
    clock.at += PAUSE
    assert circuit.admits()
    circuit.succeeded()
    assert all(circuit.admits() for _ in range(3))


def test_retries_are_at_most_a_tenth() -> None:
    budget = RetryBudget()
    while budget.spend():
        pass
    retried = 0
    for _ in range(1000):
        budget.earn()
        retried += budget.spend()

    assert 95 <= retried <= 100


@asynccontextmanager
async def closing(port: int, times: int) -> AsyncIterator[list[int]]:
    """A server that takes a request and closes the connection as often, then answers. What it gives is how many it took."""
    taken = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        taken[0] += 1
        if taken[0] > times:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield taken


async def test_a_get_whose_connection_broke_is_sent_once_more(fresh_stage: Stage) -> None:
    await fresh_stage["licensing"].stop()
    async with closing(fresh_stage["licensing"].port, 1) as taken:
        answered = await fresh_stage.client.get("/v1/offers", headers=signed_in())
    await fresh_stage["licensing"].start()

    assert (answered.status_code, taken) == (200, [2])


async def test_a_get_is_not_sent_a_third_time(fresh_stage: Stage) -> None:
    await fresh_stage["licensing"].stop()
    async with closing(fresh_stage["licensing"].port, 2) as taken:
        answered = await fresh_stage.client.get("/v1/offers", headers=signed_in())
    await fresh_stage["licensing"].start()

    assert (answered.status_code, answered.json()["code"], answered.headers["retry-after"]) == (503, "upstream_unavailable", "1")
    assert answered.json()["service"] == "licensing"
    assert taken == [2]


async def test_a_change_is_never_sent_twice(fresh_stage: Stage) -> None:
    await fresh_stage["licensing"].stop()
    async with closing(fresh_stage["licensing"].port, 1) as taken:
        answered = await fresh_stage.client.post("/v1/programmes", json={}, headers=signed_in())
    await fresh_stage["licensing"].start()

    assert (answered.status_code, answered.json()["code"], taken) == (503, "upstream_unavailable", [1])
    assert "Idempotency-Key" in answered.json()["remedy"]


async def test_one_service_down_is_no_matter_of_the_others_and_it_comes_back(fresh_stage: Stage) -> None:
    await fresh_stage["licensing"].stop()
    down = [await fresh_stage.client.get("/v1/offers", headers=signed_in()) for _ in range(THRESHOLD + 3)]
    up = await fresh_stage.client.get("/v1/customers", headers=signed_in())
    await fresh_stage["licensing"].start()

    assert {answered.status_code for answered in down} == {503}
    assert up.status_code == 200

    async def back() -> bool:
        return (await fresh_stage.client.get("/v1/offers", headers=signed_in())).status_code == 200

    await eventually(back)


async def test_callers_who_do_not_finish_asking_close_no_door_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstreams, "READING", timedelta(seconds=0.5))
    async with a_stage() as stage:
        head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
        said = await asyncio.gather(*(stage.raw(head, patience=10) for _ in range(THRESHOLD + 1)))
        answered = await stage.client.get("/v1/customers", headers=signed_in())

    assert {(one[9:12], b"body_too_slow" in one) for one in said} == {(b"408", True)}
    assert answered.status_code == 200
