"""The gateway as a process: it says what it lacks, answers, and drains when it is asked to end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from gateway_stage import SERVICES, Stage, _bound, answer, signed_in
from starlette.types import Receive, Scope, Send

from chassis_testing.waiting import eventually

OTHERS = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "PARTNERDECK_"))}


def environment(stage: Stage, port: int) -> dict[str, str]:
    urls = {f"GATEWAY_{name.upper()}_URL": stage[name].url for name in SERVICES}
    keys = f"{stage['customers'].url}/.well-known/jwks.json"
    return OTHERS | urls | {"GATEWAY_HTTP_PORT": str(port), "GATEWAY_KEYS_URL": keys, "PARTNERDECK_LOG_FORMAT": "json"}


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    with _bound(0) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "serve", env=environment(stage, port), stdout=subprocess.PIPE
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

            async def lives() -> bool:
                try:
                    return (await client.get("/health/live")).status_code == 200
                except httpx.ConnectError:
                    return False

            await eventually(lives, within=30)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_serves_and_drains_what_is_in_hand(stage: Stage) -> None:
    begun = asyncio.Event()

    async def slowly(_: Scope, __: Receive, send: Send) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        await answer(send, {"done": True})

    stage["licensing"].handlers["/v1/lines"] = slowly
    async with running(stage) as (process, client):
        ready = await client.get("/health/ready")
        in_hand = asyncio.create_task(client.get("/v1/lines", headers=signed_in()))
        await begun.wait()
        process.send_signal(signal.SIGTERM)
        answered = await in_hand
        said, _ = await asyncio.wait_for(process.communicate(), 15)

    assert (ready.status_code, answered.json(), process.returncode) == (200, {"done": True}, 0)
    assert b'"event":"service_stopped"' in said


def test_it_says_at_once_all_that_it_was_not_told() -> None:
    ended = subprocess.run([sys.executable, "-m", "gateway", "serve"], env=OTHERS, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 2
    for name in ("HTTP_PORT", "KEYS_URL", "CUSTOMERS_URL", "LICENSING_URL", "REPORTING_URL", "NOTIFICATIONS_URL"):
        assert f"GATEWAY_{name} is missing" in ended.stderr
