"""The suite: the whole of Partnerdeck in a home of its own, for tests that need every service and want to kill some.

Nothing is seeded. Ports are free ones, nothing is flushed to disk, and all of it ends with the process that started it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from onebox import environment
from onebox.home import Home
from onebox.launcher import await_ready, halt, launch
from onebox.mail import Mail, received
from onebox.postgres import PostgresAddress
from onebox.status import State, Status

OPERATOR = environment.OPERATOR


@dataclass(frozen=True, slots=True)
class Suite:
    home: Home

    @property
    def gateway(self) -> str:
        return self.home.gateway()

    @property
    def operator(self) -> tuple[str, str]:
        """E-mail address and password of the first operator."""
        return OPERATOR, self.home.secrets().operator_password

    @property
    def postgres(self) -> PostgresAddress:
        return self.home.postgres()

    @property
    def kafka(self) -> str:
        return self.home.kafka()

    def mails(self) -> list[Mail]:
        """Oldest first."""
        return received(self.home.mail)

    def kill(self, name: str) -> None:
        """Kill -9 of a process by its name; the supervisor starts it again."""
        entry = Status.read(self.home).named(name)
        if entry is None or entry.pid is None:
            raise LookupError(f"{name} does not run")
        os.kill(entry.pid, signal.SIGKILL)

    def hold(self, name: str) -> None:
        """Keep a process from being started again until it is released."""
        (self.home.folder / "held" / name).touch()

    def release(self, name: str) -> None:
        (self.home.folder / "held" / name).unlink(missing_ok=True)

    def restarts(self, name: str) -> int:
        """How often it was started again: read it before killing, for ``until_restarted``."""
        entry = Status.read(self.home).named(name)
        return entry.restarts if entry else 0

    async def until_restarted(self, name: str, beyond: int, within: float = 60) -> None:
        """Wait until it has been started again and runs; seconds."""
        async with asyncio.timeout(within):
            while True:
                entry = Status.read(self.home).named(name)
                if entry is not None and entry.restarts > beyond and entry.state is State.RUNNING:
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running_suite(folder: Path) -> AsyncIterator[Suite]:
    """Everything started, ready, and stopped at the end."""
    home = Home(folder, gateway_port=0, lasting=False)
    try:
        await asyncio.to_thread(launch, home, os.getpid())
        await asyncio.to_thread(await_ready, home)
        yield Suite(home)
    finally:
        await asyncio.to_thread(halt, home)
