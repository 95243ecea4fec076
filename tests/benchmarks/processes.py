"""Processes under test: started beside the suite's own, kept on one core, their CPU time read from the kernel."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from onebox.ports import free_ports
from onebox.processes import last_lines

TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    url: str

    @property
    def cpu_seconds(self) -> float:
        """What it has used so far, to the nanosecond: Linux' own clock of another process."""
        return time.clock_gettime((~self.pid << 3) | 2)


def free_url() -> str:
    return f"http://127.0.0.1:{free_ports(1)[0]}"


@asynccontextmanager
async def running(command: Sequence[str], environment: Mapping[str, str], url: str, *, ready: str, log: Path) -> AsyncIterator[Process]:
    """A process on the last core, from its first 2xx at ``ready`` on."""
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(*command, env=dict(environment), stdout=output, stderr=output, preexec_fn=_pin)
    try:
        await answering(url + ready, child, log)
        yield Process(child.pid, url)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            await child.wait()


async def answering(url: str, child: asyncio.subprocess.Process, log: Path, within: float = 60.0) -> None:
    """Wait for the first 2xx."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(within):
        while child.returncode is None:
            try:
                if (await http.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.005)
    raise RuntimeError(f"it ended before it answered:\n{last_lines(log)}")


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def ours(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the benchmarks' own modules are found too."""
    found = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(TESTS))))
    return {**environment, "PYTHONPATH": found}


def _pin() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
