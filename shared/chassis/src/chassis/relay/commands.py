"""The commands over what the relay could not send: ``python -m licensing unsent list|retry|skip``."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from chassis.database.worker import WorkerDatabase
from chassis.operations import By, Reason, run_with
from chassis.relay import parking

_Id = Annotated[int, typer.Argument(help="as `unsent list` shows it")]


def unsent(opened: Callable[[], WorkerDatabase]) -> typer.Typer:
    """The commands of one service; ``opened`` gives its database."""
    app = typer.Typer(no_args_is_help=True, help="What the broker refused, and what follows it.")

    @app.command(name="list")
    def show() -> None:
        """What is not sent, in the order of telling, and why."""
        for row in run_with(opened(), _listed):
            size = "tombstone" if row.bytes is None else f"{row.bytes} bytes"
            typer.echo(f"{row.id} {row.topic} of {row.entity} ({size}, told {row.created_at:%Y-%m-%d %H:%M:%S}): {row.reason}")

    @app.command()
    def retry(row_id: _Id, by: By) -> None:
        """Send a row and the others of its entity again, in order."""
        typer.echo(f"{run_with(opened(), lambda database: _retry(database, row_id, by))} are sent again")

    @app.command()
    def skip(row_id: _Id, reason: Reason, by: By) -> None:
        """Never send a row; those that follow it are sent. Its readers go on with the entity's next record."""
        typer.echo(f"given up; {run_with(opened(), lambda database: _skip(database, row_id, by, reason))} that followed it are sent")

    return app


async def _listed(database: WorkerDatabase) -> Sequence[Any]:
    async with database.work() as work:
        return await parking.listed(work.session)


async def _retry(database: WorkerDatabase, row_id: int, by: str) -> int:
    async with database.work() as work:
        return await parking.retry(work.session, row_id, by=by)


async def _skip(database: WorkerDatabase, row_id: int, by: str, reason: str) -> int:
    async with database.work() as work:
        return await parking.skip(work.session, row_id, by=by, because=reason)
