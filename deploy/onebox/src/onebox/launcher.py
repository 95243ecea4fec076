"""The launcher: starts the supervisor in the background, waits for what it brings up, and stops all of it.

``python -m onebox.launcher`` is the supervisor's own process. Stopping works from the processes' identities on disk,
so it leaves nothing even when the supervisor was killed.
"""

import argparse
import asyncio
import fcntl
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from onebox import kafka, postgres, program
from onebox.artifacts import ArtifactMissing
from onebox.home import Home
from onebox.processes import PATIENCE, Identity, detach, kill_group, last_lines, spawn, stop_stranger
from onebox.status import Entry, State, Status
from onebox.supervisor import Supervisor

_WAVES = 3
_GIVING_UP = 4
"""Starts of one server after which waiting for it is pointless."""


class NotReady(Exception):
    """Something did not come up; the message says what, and how its log ends."""


@contextmanager
def exclusively(home: Home) -> Iterator[None]:
    """One command at a time changes what runs in a home."""
    home.prepare()
    with (home.folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def running(home: Home) -> bool:
    supervisor = Identity.read(home.supervisor_file)
    return supervisor is not None and supervisor.lives()


def make_room(home: Home) -> None:
    """Stop what an ended supervisor left, and make sure of ports and secrets. Raises ``PortTaken``."""
    home.prepare()
    halt(home)
    home.status_file.unlink(missing_ok=True)
    home.choose_ports()
    home.secrets()


def launch(home: Home, owner: int | None = None) -> None:
    """Start the supervisor; with an owner it ends when that process does. Raises ``PortTaken``."""
    make_room(home)
    command = [sys.executable, "-m", "onebox.launcher", str(home.folder), "--port", str(home.gateway_port)]
    command += [] if home.lasting else ["--fleeting"]
    command += [] if owner is None else ["--owner", str(owner)]
    spawn(command, home.log("supervisor")).wait()


def halt(home: Home) -> bool:
    """Stop everything of this home; whether there was anything."""
    stopped = False
    supervisor = Identity.read(home.supervisor_file)
    if supervisor is not None:
        stopped = stop_stranger(supervisor, patience=_WAVES * (PATIENCE + 1))
        home.supervisor_file.unlink(missing_ok=True)
    status = Status.written(home)
    for entry in reversed(status.entries):
        if entry.identity is not None:
            stopped |= _stop(entry, entry.identity)
    status.write(home)
    return stopped


def _stop(entry: Entry, identity: Identity) -> bool:
    found = stop_stranger(identity, signal.SIGINT if entry.name == "postgres" else signal.SIGTERM)
    if found:
        kill_group(identity.pid)
    entry.state, entry.pid, entry.started_at = State.STOPPED, None, None
    return found


def await_ready(home: Home, patience: float = 180, told: Callable[[str], None] = lambda _: None) -> None:
    """Wait until every server runs and the gateway is ready; ``told`` hears what is awaited. Raises ``NotReady`` when that will not be."""
    deadline = time.monotonic() + patience
    while True:
        status = Status.read(home)
        if status.all_running and _gateway_ready(home):
            return
        if not running(home):
            raise NotReady(f"the supervisor ended:\n{last_lines(home.log('supervisor'))}")
        stuck = [entry for entry in status.entries if entry.state is State.FAILED or entry.restarts >= _GIVING_UP]
        if stuck:
            raise NotReady(f"{stuck[0].name} does not start ({stuck[0].note}). Its log ends with:\n{last_lines(home.log(stuck[0].name))}")
        awaited = [entry.name for entry in status.entries if entry.state is not State.RUNNING]
        if time.monotonic() > deadline:
            tails = "\n".join(f"--- {name}\n{last_lines(home.log(name), 5)}" for name in awaited)
            raise NotReady(f"not ready after {patience:.0f} s: {', '.join(awaited) or 'gateway'}\n{tails}")
        told(", ".join(awaited))
        time.sleep(0.1)


def _gateway_ready(home: Home) -> bool:
    try:
        return httpx.get(f"{home.gateway()}/health/ready", timeout=5).is_success
    except httpx.TransportError:
        return False


async def _supervise(home: Home, owner: Identity | None) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    watch = asyncio.create_task(_watch(owner, stop))
    await Supervisor(home, program.servers(home), program.errands(home)).run(stop)
    watch.cancel()


async def _watch(owner: Identity | None, stop: asyncio.Event) -> None:
    while owner is not None and not stop.is_set():
        if not owner.lives():
            stop.set()
        await asyncio.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fleeting", action="store_true")
    parser.add_argument("--owner", type=int)
    given = parser.parse_args()
    home = Home(given.folder, given.port, lasting=not given.fleeting)
    owner = Identity.of(given.owner) if given.owner is not None else None
    if (given.owner is not None and owner is None) or not detach(home.supervisor_file):
        return
    asyncio.run(_supervise(home, owner))


if __name__ == "__main__":
    try:
        main()
    except (ArtifactMissing, postgres.PostgresFailed, kafka.KafkaFailed, ModuleNotFoundError) as failed:
        sys.exit(str(failed))
