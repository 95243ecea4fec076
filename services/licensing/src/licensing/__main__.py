"""The verbs of licensing: ``python -m licensing serve|api|worker|relay|migrate|load-catalogue``."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from chassis.bundles.commands import commands
from chassis.clock import SystemClock
from chassis.database import WorkerDatabase
from chassis.environment import load
from chassis.verbs import verbs
from licensing.app import load_catalogue, service
from licensing.bundles import PORTABLE
from licensing.catalogue.reading import UnreadableFile
from licensing.settings import Settings

app = verbs(Settings, service)


@app.command(name="load-catalogue")
def load_catalogue_file(file: Annotated[Path, typer.Argument(help="YAML with products, offers, serials and policies")]) -> None:
    """Load products, offers, serial numbers and policies; loading the same file again changes nothing."""
    try:
        loaded = uvloop.run(load_catalogue(load(Settings), file))
    except UnreadableFile as unreadable:
        for problem in unreadable.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(2) from unreadable
    products = (f"product {code}" for code in loaded.products)
    changed = ", ".join([*products, *loaded.offers, *(f"policy {name}" for name in loaded.policies)]) or "nothing"
    typer.echo(f"Published: {changed}. New serial numbers: {loaded.serials}.")


def _opened() -> WorkerDatabase:
    return WorkerDatabase(load(Settings).database("licensing"), SystemClock())


app.add_typer(commands(_opened, PORTABLE), name="bundle")


if __name__ == "__main__":
    app()
