"""Partnerdeck on one machine, without containers."""

import asyncio
import json
import shutil
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from onebox import billed, kafka, launcher, logs, postgres, stack
from onebox.artifacts import ArtifactMissing
from onebox.home import Home, HomeUnusable
from onebox.mail import received
from onebox.processes import Identity
from onebox.status import State, Status
from onebox.up import progress
from onebox.up import up as bring_up

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_console = Console(highlight=False)
_COLOURS = {State.RUNNING: "green", State.STOPPED: "dim", State.FAILED: "red", State.RESTARTING: "red"}


@app.command()
def up(*, tour: Annotated[bool, typer.Option(help="Show afterwards what it does.")] = True) -> None:
    """Start everything in the background, fetching what is missing."""
    raise typer.Exit(bring_up(_home(), _console, with_tour=tour))


@app.command()
def down() -> None:
    """Stop everything; data stays."""
    home = _home()
    if not home.folder.exists():
        _refuse(f"nothing was ever started in {home.folder}")
    try:
        with launcher.exclusively(home):
            stopped = launcher.halt(home)
    except HomeUnusable as error:
        _refuse(str(error))
    _console.print("Stopped: no process is left, the data stays" if stopped else "Nothing was running")


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show every process; the exit code is 0 when all of them run."""
    home = _home()
    found = Status.read(home)
    if as_json:
        typer.echo(json.dumps(_described(home, found), indent=2))
    else:
        _console.print(_table(found) if found.entries else f"nothing was ever started in {home.folder}")
        if any(entry.pid for entry in found.entries) and not launcher.running(home):
            _console.print("The supervisor was killed: nothing is restarted until `partnerdeck up`", style="red")
    raise typer.Exit(0 if launcher.running(home) and found.all_running else 1)


@app.command(name="logs")
def show_logs(
    name: Annotated[str | None, typer.Argument(help="A process, such as licensing; all without.")] = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many of each log's last lines.")] = 50,
) -> None:
    """Show what the processes said."""
    home = _home()
    files = logs.named(home, name)
    if not files:
        names = ", ".join(sorted(file.stem for file in logs.named(home, None)))
        _refuse(f"there is no such log; there are: {names}" if names else f"nothing was ever started in {home.folder}")
    for source, line in logs.ends(files, lines):
        _say(source, line, alone=len(files) == 1)
    if follow:
        try:
            for source, line in logs.follow(files):
                _say(source, line, alone=len(files) == 1)
        except KeyboardInterrupt:
            return


@app.command()
def reset(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and delete all data."""
    home = _home()
    if not home.folder.exists():
        _refuse(f"there is nothing to delete in {home.folder}")
    if not home.supervisor_file.exists() and not home.status_file.exists() and not (home.folder / "secrets.json").exists():
        _refuse(f"{home.folder} is no folder of Partnerdeck's: it was left alone")
    if not yes:
        typer.confirm(f"Delete everything in {home.folder}?", abort=True)
    with launcher.exclusively(home):
        launcher.halt(home)
        shutil.rmtree(home.folder)
    _console.print(f"Deleted {home.folder}")


@app.command()
def mail(
    count: Annotated[int, typer.Argument(help="How many of the newest.")] = 10,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the mails that were sent, newest last."""
    mails = received(_home().mail)[-count:]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in mails], indent=2))
        return
    for each in mails:
        _console.rule()
        for header, value in each.headers.items():
            _console.print(f"{header}: {value}", markup=False, style="bold", soft_wrap=True)
        _console.print(f"\n{each.text.strip()}\n", markup=False, highlight=False, soft_wrap=True)
    _console.print(f"{len(mails)} mails" if mails else "no mail was sent")


@app.command()
def lines() -> None:
    """Show the rated lines that the sample billing consumer was told."""
    home = _home()
    if not launcher.running(home):
        _refuse("Partnerdeck does not run here: start it with `make up`")
    table = Table("subscription", "reason", "quantity", "amount", "currency")
    for each in asyncio.run(billed.lines(home)):
        table.add_row(*(str(each[column]) for column in ("subscription_id", "reason", "quantity", "amount", "currency")))
    _console.print(table)


@app.command(name="test-stack")
def keep_test_stack(file: Annotated[Path, typer.Argument(help="Where to write the addresses.")] = Path(".onebox-test-stack.json")) -> None:
    """Keep a PostgreSQL and a Kafka for tests running until Ctrl-C."""
    folder = file.absolute().with_suffix(".d")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with ExitStack() as kept:
            with progress(_console) as shown:
                database = kept.enter_context(stack.running_postgres(folder, shown))
                broker = kept.enter_context(stack.running_kafka(folder, shown))
            stack.publish(file, {"postgres": asdict(database.address), "kafka": broker.address})
            _console.print(f"PARTNERDECK_TEST_STACK={file.absolute()}  (until Ctrl-C)")
            while database.alive() and broker.alive():
                time.sleep(0.5)
        _refuse(f"a server of the test stack ended; its log is in {folder}")
    except (ArtifactMissing, postgres.PostgresFailed, kafka.KafkaFailed, stack.StackFailed) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        file.unlink(missing_ok=True)


def _home() -> Home:
    try:
        return Home.chosen()
    except ValueError:
        _refuse("PARTNERDECK_PORT must be a number from 0 (any that is free) to 65535")


def _described(home: Home, found: Status) -> dict[str, object]:
    supervisor = Identity.read(home.supervisor_file) if launcher.running(home) else None
    return {
        "home": str(home.folder),
        "gateway": home.gateway() if found.entries else None,
        "supervisor": supervisor.pid if supervisor else None,
        "running": supervisor is not None and found.all_running,
        "processes": [entry.shown() for entry in found.entries],
    }


def _table(found: Status) -> Table:
    table = Table("process", "pid", "address", "state", "restarts", "up for")
    for entry in found.entries:
        since = f"{int(time.time() - entry.started_at)} s" if entry.started_at and entry.pid else ""
        state = f"[{_COLOURS.get(entry.state, 'yellow')}]{entry.state}[/] {entry.note}".strip()
        table.add_row(entry.name, str(entry.pid or ""), entry.address, state, str(entry.restarts), since)
    return table


def _say(source: str, line: str, *, alone: bool) -> None:
    typer.echo(line if alone else f"{source:15} {line}")


def _refuse(message: str) -> NoReturn:
    _console.print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
