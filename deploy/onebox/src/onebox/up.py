"""Up: from whatever is there to a running Partnerdeck that has shown what it does."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from onebox import kafka, launcher, postgres, seed, tour
from onebox.artifacts import ArtifactMissing, Progress
from onebox.home import Home, HomeUnusable, PortTaken
from onebox.launcher import NotReady
from onebox.tour import TourFailed

_INTERRUPTED = 130
"""What a shell gives a program that Ctrl-C ended."""


def up(home: Home, console: Console, *, with_tour: bool) -> int:
    """The exit code: 0 when everything runs and the tour succeeded."""
    try:
        return _started(home, console) or asyncio.run(_show(home, console, with_tour=with_tour))
    except HomeUnusable as error:
        return _told(console, str(error))
    except KeyboardInterrupt:
        _told(console, "Interrupted. `make up` goes on from here; `make down` stops what was started.")
        return _INTERRUPTED


def _started(home: Home, console: Console) -> int:
    """Start everything: 0 when it runs."""
    with launcher.exclusively(home):
        try:
            _start(home, console)
        except (ArtifactMissing, postgres.PostgresFailed, kafka.KafkaFailed) as error:
            return _told(console, str(error))
        except PortTaken as taken:
            port = taken.args[0]
            return _told(
                console,
                f"Port {port} is taken{_by_whom(port)}. Stop that program, or choose another port: PARTNERDECK_PORT={port + 10} make up",
            )
        except NotReady as error:
            launcher.halt(home)
            return _told(console, f"{error}\nEverything was stopped again; the logs are in {home.folder / 'logs'}")
    return 0


def fetch(console: Console) -> None:
    """Fetch PostgreSQL and Kafka where they are missing, with a bar for each file."""
    with progress(console) as shown:
        postgres.fetch(shown)
        kafka.fetch(shown)


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=console, transient=True) as bars:

        @contextmanager
        def one(name: str, size: int) -> Iterator[Callable[[int], None]]:
            task = bars.add_task(name, total=size)
            yield lambda arrived: bars.advance(task, arrived)
            bars.remove_task(task)

        yield one


def _start(home: Home, console: Console) -> None:
    if launcher.running(home):
        console.print(f"Partnerdeck runs already, at {home.gateway()}")
    else:
        launcher.make_room(home)
        fetch(console)
        launcher.launch(home)
    with console.status("starting") as status:
        launcher.await_ready(home, told=lambda awaited: status.update(f"waiting for {awaited}"))


async def _show(home: Home, console: Console, *, with_tour: bool) -> int:
    seeded = home.folder / "done" / "seed"
    try:
        if not seeded.exists():
            await seed.run(home.gateway(), home, console)
            seeded.touch()
        if with_tour:
            await tour.run(home.gateway(), home, console)
        else:
            console.print(f"Partnerdeck runs at {home.gateway()}", soft_wrap=True)
    except TourFailed as error:
        return _told(console, f"{error}\nEverything still runs: look with `partnerdeck status` and `partnerdeck logs`")
    return 0


def _by_whom(port: int) -> str:
    """The listener's name where the system tells it."""
    try:
        listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        owners = [each.pid for each in listening if each.laddr[-1:] == (port,) and each.pid]
        return f" by {psutil.Process(owners[0]).name()} (process {owners[0]})" if owners else ""
    except psutil.Error:
        return ""


def _told(console: Console, message: str) -> int:
    console.print(message, style="red", markup=False, soft_wrap=True)
    return 1
