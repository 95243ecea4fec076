"""The command line of a service: ``python -m licensing serve|api|worker|relay|migrate|parked|unsent|audit|retell|rebuild``.

``serve`` runs everything in one process; ``api``, ``worker`` and ``relay`` are its parts, which
ops teams scale one by one; ``migrate`` brings the schema up. The others are for whoever operates it.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

import typer
import uvloop

from chassis import logs, tracing
from chassis.audit import commands as over_audit
from chassis.clock import SystemClock
from chassis.consumers import commands as over_parked
from chassis.database import WorkerDatabase
from chassis.environment import load
from chassis.operations import run_with
from chassis.rebuilding import Rebuilding
from chassis.rebuilding import commands as rebuilding
from chassis.relay import commands as over_unsent
from chassis.retelling import Retelling, retell
from chassis.service import EVERYTHING, Part, Process, Service
from chassis.settings import ServiceSettings

type Made = Callable[[], Service]

_Kinds = Annotated[list[str] | None, typer.Option("--kind", help="one kind of entity; several times for several")]
_Partner = Annotated[UUID | None, typer.Option(help="this partner's alone")]


def verbs[S: ServiceSettings](settings: type[S], service: Callable[[S], Service]) -> typer.Typer:
    """The command line of a service; it can add commands of its own."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    def made() -> Service:
        one = service(load(settings))
        logs.configure(one.name, one.settings.log_format)
        return one

    _add_parts(app, made)
    _add_operations(app, made)
    return app


def _add_parts(app: typer.Typer, made: Made) -> None:
    def run(*parts: Part) -> None:
        one = made()
        with tracing.recording(one.name, one.settings.traces_url, one.settings.traces_share):
            uvloop.run(Process(one, frozenset(parts)).run())

    @app.command()
    def serve() -> None:
        """Everything but migrate, in one process."""
        run(*EVERYTHING)

    @app.command()
    def api() -> None:
        """Answer requests."""
        run("api")

    @app.command()
    def worker() -> None:
        """Consume topics and work off what is due."""
        run("worker")

    @app.command()
    def relay() -> None:
        """Publish what was told."""
        run("relay")

    @app.command(name="migrate")
    def migrate_schema() -> None:
        """Bring the schema up to the newest version."""
        from chassis.database.migrate import migrate  # noqa: PLC0415 (Alembic is slow to import, and nobody else needs it)

        one = made()
        uvloop.run(migrate(one.settings.database(one.name), one.migrations))


def _add_operations(app: typer.Typer, made: Made) -> None:
    def parked() -> over_parked.Opened:
        one = made()
        return _database(one), one.consumers

    def rebuilds() -> Rebuilding:
        one = made()
        said = one.settings
        return Rebuilding(said.database(one.name), one.consumers, kafka=said.kafka, prefix=said.topic_prefix)

    @app.command(name="retell")
    def retell_states(kind: _Kinds = None, partner: _Partner = None) -> None:
        """Tell the states of entities anew, one version higher, while nobody else waits."""
        _retell(made(), kind, partner)

    app.add_typer(over_parked.parked(parked), name="parked")
    app.add_typer(over_unsent.unsent(lambda: _database(made())), name="unsent")
    app.add_typer(over_audit.audit(lambda: _database(made())), name="audit")
    rebuilding.add(app, rebuilds)


def _retell(one: Service, kinds: list[str] | None, partner: UUID | None) -> None:
    known = {told.aggregate: told for told in one.retellings}
    if unknown := set(kinds or ()) - known.keys():
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: {one.name} tells {', '.join(known) or 'no states'}")
    for kind in kinds or known:
        typer.echo(f"{kind}: {run_with(_database(one), _retelling(known[kind], partner)):,} told anew")


def _retelling(one: Retelling[Any], partner: UUID | None) -> Callable[[WorkerDatabase], Coroutine[Any, Any, int]]:
    def so_far(told: int) -> None:
        typer.echo(f"{one.aggregate}: {told:,} so far")

    return lambda database: retell(database, one, partner_id=partner, so_far=so_far)


def _database(one: Service) -> WorkerDatabase:
    return WorkerDatabase(one.settings.database(one.name), SystemClock())
