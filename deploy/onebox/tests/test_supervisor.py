"""What dies comes back, in the order of its needs, and nothing outlives ``down``."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from onebox import launcher
from onebox.home import Home
from onebox.processes import Identity
from onebox.status import Entry, State, Status
from onebox.supervisor import Errand, Server, Supervisor

SLEEPER = ["sleep", "300"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", gateway_port=0)
    home.prepare()
    return home


async def test_a_killed_process_is_started_again(home: Home) -> None:
    async with _supervised(home, Server(name="sleeper", command=lambda: SLEEPER)):
        first = await _until(home, lambda: _running(home, "sleeper"))
        os.kill(first.pid or 0, signal.SIGKILL)

        again = await _until(home, lambda: _running(home, "sleeper", restarts=1))

    assert again.pid != first.pid


async def test_what_needs_another_waits_until_that_one_is_ready(home: Home) -> None:
    ready = asyncio.Event()

    async def when_told() -> None:
        await ready.wait()

    needed = Server(name="needed", command=lambda: SLEEPER, ready=when_told)
    needing = Server(name="needing", command=lambda: SLEEPER, needs=("needed",))
    async with _supervised(home, needed, needing):
        await _until(home, lambda: _in_state(home, "needed", State.STARTING))
        assert _named(home, "needing").state is State.WAITING

        ready.set()

        await _until(home, lambda: _running(home, "needing"))


async def test_an_errand_is_not_run_again_while_its_inputs_are_unchanged(home: Home, tmp_path: Path) -> None:
    given, made = tmp_path / "given", tmp_path / "made"
    given.write_text("first")
    errand = Errand(name="errand", command=["sh", "-c", f"echo done >> {made}"], inputs=(given,))
    for _ in range(2):
        async with _supervised(home, errands=[errand]):
            await _until(home, lambda: _in_state(home, "errand", State.DONE))
    assert made.read_text() == "done\n"

    given.write_text("second")
    async with _supervised(home, errands=[errand]):
        await _until(home, lambda: _in_state(home, "errand", State.DONE))

    assert made.read_text() == "done\ndone\n"


async def test_an_errand_that_keeps_failing_is_said_to_have_failed(home: Home) -> None:
    async with _supervised(home, errands=[Errand(name="errand", command=["false"])]):
        failed = await _until(home, lambda: _in_state(home, "errand", State.FAILED))

    assert failed.note == "ended with 1"


async def test_what_is_held_stays_away_until_it_is_released(home: Home) -> None:
    hold = home.folder / "held" / "sleeper"
    async with _supervised(home, Server(name="sleeper", command=lambda: SLEEPER)):
        first = await _until(home, lambda: _running(home, "sleeper"))
        hold.touch()
        os.kill(first.pid or 0, signal.SIGKILL)
        await _until(home, lambda: _in_state(home, "sleeper", State.HELD))

        hold.unlink()

        await _until(home, lambda: _running(home, "sleeper", restarts=1))


async def test_stopping_leaves_no_process_even_of_what_ignores_the_signal(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onebox.supervisor.PATIENCE", 0.3)
    stubborn = Server(name="stubborn", command=lambda: ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"])
    async with _supervised(home, stubborn):
        group = (await _until(home, lambda: _running(home, "stubborn"))).pid
        await asyncio.sleep(0.1)

    assert not _group(group)
    assert _named(home, "stubborn").state is State.STOPPED


async def test_down_leaves_no_process_when_the_supervisor_was_killed(home: Home) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from onebox.home import Home; from onebox.supervisor import Server, Supervisor;"
        "servers = [Server(name=name, command=lambda: ['sleep', '300']) for name in ('one', 'two')];"
        "asyncio.run(Supervisor(Home(Path(sys.argv[1])), servers).run(asyncio.Event()))"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(home.folder)], start_new_session=True) as supervisor:  # noqa: ASYNC220, S603
        identity = Identity.of(supervisor.pid)
        assert identity is not None
        identity.write(home.supervisor_file)
        left = [(await _until(home, lambda name=name: _running(home, name))).identity for name in ("one", "two")]
        supervisor.kill()
    assert all(each is not None and each.lives() for each in left)

    assert await asyncio.to_thread(launcher.halt, home)

    assert not any(each is not None and each.lives() for each in left)
    assert not await asyncio.to_thread(launcher.halt, home)


@asynccontextmanager
async def _supervised(home: Home, *servers: Server, errands: list[Errand] | None = None) -> AsyncIterator[None]:
    home.status_file.unlink(missing_ok=True)
    stop = asyncio.Event()
    task = asyncio.create_task(Supervisor(home, servers, errands or []).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _until(home: Home, found: Callable[[], Entry | None], within: float = 10) -> Entry:
    async with asyncio.timeout(within):
        while (entry := found()) is None:  # noqa: ASYNC110 - a file tells, no event does
            await asyncio.sleep(0.02)
    return entry


def _named(home: Home, name: str) -> Entry:
    entry = Status.written(home).named(name)
    assert entry is not None
    return entry


def _in_state(home: Home, name: str, state: State) -> Entry | None:
    entry = Status.written(home).named(name)
    return entry if entry is not None and entry.state is state else None


def _running(home: Home, name: str, restarts: int = 0) -> Entry | None:
    entry = _in_state(home, name, State.RUNNING)
    return entry if entry is not None and entry.restarts == restarts else None


def _group(leader: int | None) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
        except (ProcessLookupError, psutil.Error):
            continue
    return members
