"""The commands over what consumers have parked: ``python -m licensing parked list|unpark|skip|release``."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from chassis.consumers import brake
from chassis.consumers.handlers import Consumer
from chassis.consumers.unparking import Outcome, Unparking
from chassis.database.worker import WorkerDatabase
from chassis.operations import By, Reason, run_with

type Opened = tuple[WorkerDatabase, Sequence[Consumer]]

_Id = Annotated[UUID, typer.Argument(help="as `parked list` shows it")]


def parked(opened: Callable[[], Opened]) -> typer.Typer:
    """The commands of one service; ``opened`` gives its database and consumers."""
    app = typer.Typer(no_args_is_help=True, help="What consumers could not let take effect.")

    @app.command(name="list")
    def show() -> None:
        """What is parked, oldest first, and why."""
        for row in _run(opened, _listed):
            typer.echo(f"{row.id} {row.standing:<8} {row.topic}/{row.partition}@{row.offset} {row.handler}: {row.reason}")

    @app.command()
    def unpark(parked_id: _Id, by: By) -> None:
        """Let a record take effect now, and those behind it."""
        _say(_run(opened, lambda database, consumers: Unparking(database, consumers).unpark(parked_id, by=by)))

    @app.command()
    def skip(parked_id: _Id, reason: Reason, by: By) -> None:
        """Let a record never take effect; those behind it follow."""
        _say(_run(opened, lambda database, consumers: Unparking(database, consumers).skip(parked_id, by=by, because=reason)))

    @app.command()
    def release(
        consumer: str,
        reason: Reason,
        by: By,
        allow: Annotated[int, typer.Option(help="records that may be parked", min=0)] = brake.ALLOWANCE,
    ) -> None:
        """Let a consumer go on that stopped because too much was parked."""
        stood = _run(opened, lambda database, _: _release(database, consumer, by=by, because=reason, allowance=allow))
        typer.echo("released" if stood else f"{consumer} was not stopped")

    return app


def _run[T](opened: Callable[[], Opened], do: Callable[[WorkerDatabase, Sequence[Consumer]], Coroutine[Any, Any, T]]) -> T:
    database, consumers = opened()
    return run_with(database, lambda _: do(database, consumers))


async def _listed(database: WorkerDatabase, consumers: Sequence[Consumer]) -> Sequence[Any]:
    return await Unparking(database, consumers).listed()


async def _release(database: WorkerDatabase, consumer: str, *, by: str, because: str, allowance: int) -> bool:
    async with database.work() as work:
        return await brake.release(work.session, consumer, by=by, because=because, allowance=allowance)


def _say(outcome: Outcome) -> None:
    typer.echo(f"{outcome.replayed} took effect")
    if outcome.still is not None:
        typer.echo(f"still parked: {outcome.still}", err=True)
        raise typer.Exit(1)
