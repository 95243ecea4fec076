"""``python -m notifications serve|api|worker|relay|migrate|bundle``."""

from chassis.bundles.commands import commands
from chassis.clock import SystemClock
from chassis.database import WorkerDatabase
from chassis.environment import load
from chassis.verbs import verbs
from notifications.app import service
from notifications.bundles import PORTABLE
from notifications.settings import Settings

app = verbs(Settings, service)


def _opened() -> WorkerDatabase:
    return WorkerDatabase(load(Settings).database("notifications"), SystemClock())


app.add_typer(commands(_opened, PORTABLE), name="bundle")

if __name__ == "__main__":
    app()
