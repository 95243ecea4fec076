"""What the commands of whoever operates a service have in common: who decides and why, and refusals said with their remedy."""

import getpass
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

import typer
import uvloop

from chassis.database.worker import WorkerDatabase
from chassis.errors import Refusal

By = Annotated[str, typer.Option(help="who decides", default_factory=getpass.getuser)]


def _said(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why")
    return reason.strip()


Reason = Annotated[str, typer.Option(help="why; kept with the record", callback=_said)]

_REFUSED: Final = 1


def run[T](doing: Coroutine[Any, Any, T]) -> T:
    """Do something to its end; a refusal is said, and ends the command."""
    try:
        return uvloop.run(doing)
    except Refusal as refusal:
        typer.echo(f"{refusal.code}: {refusal}. {refusal.remedy}", err=True)
        raise typer.Exit(_REFUSED) from refusal


def run_with[T](database: WorkerDatabase, do: Callable[[WorkerDatabase], Coroutine[Any, Any, T]]) -> T:
    """As ``run``, with a database that is closed in the end."""

    async def inside() -> T:
        try:
            return await do(database)
        finally:
            await database.close()

    return run(inside())
