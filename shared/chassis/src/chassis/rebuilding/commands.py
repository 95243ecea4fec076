"""The command that rebuilds: ``python -m reporting rebuild customer_overview [--check]``, ``rebuild --list``."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

from chassis import memory
from chassis.consumers.batches import Defect
from chassis.consumers.brake import Braked
from chassis.operations import run
from chassis.rebuilding.rebuild import MAY_VANISH, Rebuilding, Report, Wanted

_EVERY: Final = 2.0

_Name = Annotated[str | None, typer.Argument(help="one of its tables, as --list shows them")]
_List = Annotated[bool, typer.Option("--list", help="show what can be rebuilt")]
_Check = Annotated[bool, typer.Option("--check", help="only compare")]
_Keep = Annotated[bool, typer.Option("--keep", help="keep what was replaced, in schema `replaced`")]
_Anew = Annotated[bool, typer.Option("--anew", help="begin from the topics' start, whatever an earlier run has filled")]
_MayVanish = Annotated[int, typer.Option(help="rows that may go out of the live tables", min=0)]


def add(app: typer.Typer, opened: Callable[[], Rebuilding]) -> None:
    """Add the command to a service's own; ``opened`` gives what rebuilds its read models."""

    @app.command()
    def rebuild(
        name: _Name = None,
        *,
        show: _List = False,
        check: _Check = False,
        keep: _Keep = False,
        anew: _Anew = False,
        may_vanish: _MayVanish = MAY_VANISH,
    ) -> None:
        """Fill a read model anew from the topics beside the live one, compare, and put it in its place."""
        if show or name is None:
            _list(_run(opened().listed()))
            raise typer.Exit(0 if show else 2)
        memory.settle()
        wanted = Wanted(check=check, keep=keep, anew=anew, may_vanish=may_vanish)
        report = _run(opened().rebuild(name, wanted, _Lines(name)))
        _say(report, wanted)
        raise typer.Exit(1 if check and report.differ else 0)


def _run(doing: Any) -> Any:
    try:
        return run(doing)
    except (Braked, Defect) as stopped:
        typer.echo(f"stopped: {stopped}. Mend the code, and run it again: it goes on where it stood.", err=True)
        raise typer.Exit(1) from stopped


class _Lines:
    """A line of progress every two seconds, and whenever something else begins."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.monotonic()
        self._next = 0.0
        self._what = ""
        self._first = 0

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if what == self._what and now < self._next:
            return
        if what != self._what:
            self._first = done
        self._what, self._next = what, now + _EVERY
        pace = f"  {done:,} of {of:,} records, {(done - self._first) / max(now - self._began, 0.001):,.0f}/s" if what == "reading" else ""
        typer.echo(f"{now - self._began:7.1f} s  {self._name}: {what}{pace}")


def _list(found: Sequence[Any]) -> None:
    for model, why in found:
        typer.echo(f"{model.name:<24} {', '.join(model.tables)} from {', '.join(model.topics)} (as {model.group})")
        for reason in why:
            typer.echo(f"{'':<24} cannot be rebuilt: {reason}")


def _say(report: Report, wanted: Wanted) -> None:
    typer.echo(f"{'table':<24}{'live':>12}{'from topics':>12}{'differ':>10}  checksum of the live one")
    for table in report.tables:
        typer.echo(f"{table.table:<24}{table.live:>12,}{table.beside:>12,}{table.differ:>10,}  {table.checksum}")
        for key in table.keys:
            typer.echo(f"{'':<4}{key}")
    if report.parked:
        typer.echo(f"{report.parked} records cannot take effect.")
    if wanted.check:
        typer.echo("zero difference" if not report.differ else f"{report.differ} rows differ; rebuild mends them")
    elif report.swapped:
        kept = "; what it was is kept in schema replaced" if wanted.keep else ""
        typer.echo(f"replaced; the consumer waited {report.held:.2f} s{kept}")
