"""The supervisor: runs processes in the order of their needs and restarts what dies.

A *server* stays and is started again, after a growing pause, whenever it ends. An *errand* runs once to its end, and not again
while its inputs are unchanged. What needs another waits until that one is up, each time anew. The status file always names
every process that lives, so that all of them can be stopped even when the supervisor itself was killed.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onebox.home import Home
from onebox.processes import PATIENCE, Identity, kill_group
from onebox.status import Entry, State, Status

_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_SETTLED = 30.0
"""Seconds after which a server that dies is given the shortest pause again."""
_ATTEMPTS = 3


async def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    name: str
    command: Callable[[], list[str]]
    environment: Mapping[str, str] | None = None
    address: str = ""
    needs: tuple[str, ...] = ()
    before: Callable[[], Awaitable[None]] = _nothing
    """Done before each start, such as making a data folder."""
    ready: Callable[[], Awaitable[None]] = _nothing
    """Returns when the server is of use."""
    stop_with: signal.Signals = signal.SIGTERM
    wave: int = 0
    """Servers of the highest wave are stopped first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    name: str
    command: list[str]
    environment: Mapping[str, str] | None = None
    needs: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()
    """Files and folders; without any the errand is run each time."""


@dataclass(slots=True)
class _Running:
    entry: Entry
    process: asyncio.subprocess.Process | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    def __init__(self, home: Home, servers: Sequence[Server], errands: Sequence[Errand] = ()) -> None:
        self._home = home
        self._servers = servers
        self._errands = errands
        self._running = {each.name: _Running(Entry(each.name, each.address)) for each in servers}
        self._running |= {each.name: _Running(Entry(each.name, errand=True)) for each in errands}

    async def run(self, stop: asyncio.Event) -> None:
        """Run everything until ``stop`` is set, then stop everything."""
        self._write()
        tasks = [asyncio.create_task(self._serve(server)) for server in self._servers]
        tasks += [asyncio.create_task(self._run_errand(errand)) for errand in self._errands]
        stopped = asyncio.create_task(stop.wait())
        running: set[asyncio.Task[Any]] = {stopped, *tasks}
        while not stopped.done():
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() for task in ended):
                break
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._stop_all()
        await asyncio.gather(*(task for task in tasks if not task.cancelled()))

    async def _serve(self, server: Server) -> None:
        running = self._running[server.name]
        failures = 0
        while True:
            await self._needs(server.needs)
            await self._released(server.name, running)
            began = time.monotonic()
            try:
                await server.before()
                running.process = await self._spawn(server.name, server.command(), server.environment)
                self._note(running, State.STARTING)
                await self._until_ready_or_dead(server, running)
                await running.process.wait()
                note = f"ended with {running.process.returncode}"
            except Exception as error:  # noqa: BLE001 - whatever kept it from starting is retried, and told
                note = str(error)
            running.up.clear()
            await self._clear_away(running)
            failures = 0 if time.monotonic() - began > _SETTLED else failures + 1
            running.entry.restarts += 1
            self._note(running, State.RESTARTING, note)
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES)) - 1])

    async def _until_ready_or_dead(self, server: Server, running: _Running) -> None:
        assert running.process is not None  # noqa: S101 - the caller has just started it
        ready = asyncio.ensure_future(server.ready())
        died = asyncio.ensure_future(running.process.wait())
        try:
            await asyncio.wait({ready, died}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done() and not died.done():
                ready.result()
                running.up.set()
                self._note(running, State.RUNNING)
        finally:
            for each in (ready, died):
                each.cancel()
            await asyncio.gather(ready, died, return_exceptions=True)

    async def _run_errand(self, errand: Errand) -> None:
        running = self._running[errand.name]
        mark = self._home.folder / "done" / errand.name
        fingerprint = _fingerprint(errand)
        if errand.inputs and mark.exists() and mark.read_text() == fingerprint:
            running.up.set()
            self._note(running, State.DONE, "unchanged")
            return
        for attempt in range(_ATTEMPTS):
            await self._needs(errand.needs)
            running.entry.restarts = attempt
            running.process = await self._spawn(errand.name, errand.command, errand.environment)
            self._note(running, State.RUNNING)
            code = await running.process.wait()
            if code == 0:
                mark.write_text(fingerprint)
                running.up.set()
                self._note(running, State.DONE)
                return
            self._note(running, State.RESTARTING, f"ended with {code}")
            await asyncio.sleep(_PAUSES[attempt])
        self._note(running, State.FAILED, f"ended with {running.process.returncode}" if running.process else "")

    async def _needs(self, names: tuple[str, ...]) -> None:
        while not all(self._running[name].up.is_set() for name in names):
            for name in names:
                await self._running[name].up.wait()

    async def _released(self, name: str, running: _Running) -> None:
        """Wait while somebody wants this server to stay away (a test of what others do meanwhile)."""
        hold = self._home.folder / "held" / name
        if hold.exists():
            self._note(running, State.HELD)
        while hold.exists():  # noqa: ASYNC110 - another process makes and removes the file
            await asyncio.sleep(0.05)

    async def _spawn(self, name: str, command: list[str], environment: Mapping[str, str] | None) -> asyncio.subprocess.Process:
        with self._home.log(name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                cwd=self._home.folder,
                start_new_session=True,
            )

    async def _clear_away(self, running: _Running) -> None:
        """Leave nothing of a server's group behind before it is started again."""
        if running.process is not None:
            kill_group(running.process.pid)
            await running.process.wait()
            running.process = None

    async def _stop_all(self) -> None:
        await asyncio.gather(*(self._stop(self._running[errand.name], signal.SIGTERM) for errand in self._errands))
        for wave in sorted({server.wave for server in self._servers}, reverse=True):
            await asyncio.gather(*(self._stop(self._running[each.name], each.stop_with) for each in self._servers if each.wave == wave))

    async def _stop(self, running: _Running, how: signal.Signals) -> None:
        if running.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.process.pid, how)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.process.wait(), PATIENCE)
            await self._clear_away(running)
        if running.entry.state not in {State.DONE, State.FAILED}:
            self._note(running, State.STOPPED)

    def _note(self, running: _Running, state: State, note: str = "") -> None:
        alive = running.process is not None and running.process.returncode is None
        identity = Identity.of(running.process.pid) if alive and running.process else None
        running.entry.state = state
        running.entry.note = note
        running.entry.pid = identity.pid if identity else None
        running.entry.started_at = identity.started if identity else None
        self._write()

    def _write(self) -> None:
        Status([running.entry for running in self._running.values()]).write(self._home)


def _fingerprint(errand: Errand) -> str:
    """What an errand depends on: its command and the content of its inputs."""
    digest = hashlib.sha256(json.dumps(errand.command).encode())
    for given in errand.inputs:
        files = sorted(given.rglob("*")) if given.is_dir() else [given]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()
