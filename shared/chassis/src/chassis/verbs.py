"""The command line of a service: ``python -m licensing serve|api|worker|relay|migrate|parked``.

``serve`` runs everything in one process; ``api``, ``worker`` and ``relay`` are its parts, which
ops teams scale one by one; ``migrate`` brings the schema up.
"""

from collections.abc import Callable

import typer
import uvloop

from chassis import logs, tracing
from chassis.clock import SystemClock
from chassis.consumers import commands
from chassis.database import WorkerDatabase
from chassis.rebuilding import Rebuilding
from chassis.rebuilding import commands as rebuilding
from chassis.service import EVERYTHING, Part, Process, Service
from chassis.settings import ServiceSettings, load


def verbs[S: ServiceSettings](settings: type[S], service: Callable[[S], Service]) -> typer.Typer:
    """The command line of a service: ``python -m licensing serve|api|worker|relay|migrate|parked``."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    def run(*parts: Part) -> None:
        made = service(load(settings))
        logs.configure(made.name, made.settings.log_format)
        with tracing.recording(made.name, made.settings.traces_url, made.settings.traces_share):
            uvloop.run(Process(made, frozenset(parts)).run())

    def opened() -> commands.Opened:
        made = service(load(settings))
        logs.configure(made.name, made.settings.log_format)
        return WorkerDatabase(made.settings.database(made.name), SystemClock()), made.consumers

    def rebuilds() -> Rebuilding:
        made = service(load(settings))
        logs.configure(made.name, made.settings.log_format)
        said = made.settings
        return Rebuilding(said.database(made.name), made.consumers, kafka=said.kafka, prefix=said.topic_prefix)

    app.add_typer(commands.parked(opened), name="parked")
    rebuilding.add(app, rebuilds)

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

        made = service(load(settings))
        logs.configure(made.name, made.settings.log_format)
        uvloop.run(migrate(made.settings.database(made.name), made.migrations))

    return app
