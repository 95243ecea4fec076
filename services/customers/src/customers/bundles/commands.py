"""``bundle``: for whoever operates an installation, who exports whole customers and imports them under a partner (BEY-15)."""

import json
import os
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from joserfc.jwk import OKPKey

from chassis.database import WorkerDatabase
from chassis.keys import KeySet, keys_of
from chassis.operations import run, run_with
from customers.bundles import archive, exporting, importing
from customers.bundles.archive import Bundle

_File = Annotated[Path, typer.Argument(dir_okay=False, exists=True, help="A bundle.")]
_Keys = Annotated[str, typer.Option(help="The keys of the installation that made it: a JWKS file, or the address of one.")]
_ABOUT: Final = "Customers with their history as signed files: exported, verified, imported."


def commands(opened: Callable[[], WorkerDatabase], key: Callable[[], OKPKey]) -> typer.Typer:
    """The commands; ``key`` is what bundles are signed with."""
    app = typer.Typer(help=_ABOUT, no_args_is_help=True)

    @app.command()
    def export(
        *,
        customer: Annotated[UUID, typer.Option(help="Its id.")],
        out: Annotated[Path, typer.Option(dir_okay=False, help="Where the bundle is written; there must be no such file yet.")],
    ) -> None:
        """Export a customer. The file is its owner's alone to read: it is about persons."""

        async def exported(database: WorkerDatabase) -> bytes:
            async with database.work() as work:
                return await exporting.export_whole(work, customer, key())

        if out.exists():
            raise typer.BadParameter(f"{out} is there already")
        made = run_with(opened(), exported)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
        typer.echo(f"Customer {customer}: {len(made)} bytes.")

    @app.command()
    def verify(file: _File, *, keys: _Keys) -> None:
        """Say whether a bundle is as it was signed."""
        manifest = run(_unpacking(file, keys)).manifest
        typer.echo(f"Customer {manifest.customer_id}, signed with {manifest.key_id}{'' if manifest.whole else ', not whole'}")
        for name, said in manifest.files.items():
            typer.echo(f"{name}: {said.rows}")

    @app.command(name="import")
    def take_in(file: _File, *, partner: Annotated[UUID, typer.Option(help="Whose customer it becomes.")], keys: _Keys) -> None:
        """Import a bundle, whole or not at all."""
        unpacking = _unpacking(file, keys)

        async def taken(database: WorkerDatabase) -> UUID:
            bundle = await unpacking
            async with database.work() as work, work.item(partner) as tx:
                return (await importing.take_in(tx, bundle)).id

        typer.echo(f"Customer {run_with(opened(), taken)} is partner {partner}'s now.")

    return app


def _unpacking(file: Path, keys: str) -> Coroutine[Any, Any, Bundle]:
    return archive.unpack(file.read_bytes(), _known(keys), datetime.now(UTC))


def _known(keys: str) -> KeySet:
    if keys.startswith(("https://", "http://")):
        return KeySet(url=keys)
    try:
        return keys_of(json.loads(Path(keys).read_text(encoding="utf-8")))
    except (OSError, ValueError) as unreadable:
        raise typer.BadParameter(f"{keys} is no JWKS that can be read") from unreadable
