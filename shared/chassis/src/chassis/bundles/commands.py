"""``bundle``: for whoever operates an installation, who verifies bundles and lets a service take its part of them in (BEY-15)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from chassis.bundles import archive, gathered, portable
from chassis.bundles.archive import Bundle, Reader
from chassis.bundles.errors import BundleInvalid
from chassis.bundles.portable import Portable
from chassis.database.transaction import Transaction
from chassis.database.worker import WorkerDatabase
from chassis.errors import Refusal
from chassis.keys import KeySet, keys_of
from chassis.operations import run, run_with

_File = Annotated[Path, typer.Argument(dir_okay=False, exists=True, help="A bundle, or a partner's bundles in one file.")]
_Keys = Annotated[str, typer.Option(help="The keys of the installation that made it: a JWKS file, or the address of one.")]
_REFUSED = 1

type Take = Callable[[Transaction, Bundle], Awaitable[bool]]
"""Takes a bundle in; whether it was not here already."""


def commands(opened: Callable[[], WorkerDatabase], part: Portable) -> typer.Typer:
    """The commands of a service that has a part in bundles."""
    app = typer.Typer(help="Customers with their history as signed files: verified, imported.", no_args_is_help=True)
    add(app, opened, part.reader, lambda tx, bundle: portable.take_in(tx, part, bundle))
    return app


def add(app: typer.Typer, opened: Callable[[], WorkerDatabase], reader: Reader, take: Take) -> None:
    """The commands that every such service has: ``verify`` and ``import``."""

    @app.command()
    def verify(file: _File, *, keys: _Keys) -> None:
        """Say whether a bundle, and each of many, is as it was signed."""

        async def verified() -> None:
            async for bundle in _unpacked(file, _known(keys), reader):
                manifest = bundle.manifest
                typer.echo(f"Customer {manifest.customer_id}, signed with {manifest.key_id}{'' if manifest.whole else ', not whole'}")
                for name, said in manifest.files.items():
                    typer.echo(f"{name}: {said.rows}")

        run(verified())

    @app.command(name="import")
    def take_in(file: _File, *, partner: Annotated[UUID, typer.Option(help="Whose customers they become.")], keys: _Keys) -> None:
        """Import bundles, each whole or not at all; those that are here already are left alone, so it can be done again."""

        async def taken(database: WorkerDatabase) -> int:
            return await _take_all(database, partner, _unpacked(file, _known(keys), reader), take)

        if run_with(opened(), taken):
            raise typer.Exit(_REFUSED)


async def _take_all(database: WorkerDatabase, partner: UUID, bundles: AsyncIterator[Bundle], take: Take) -> int:
    """Take them in one by one, and say of each what became of it: how many were refused."""
    refused = 0
    async for bundle in bundles:
        customer = bundle.manifest.customer_id
        try:
            async with database.work() as work, work.item(partner) as tx:
                new = await take(tx, bundle)
            typer.echo(f"Customer {customer} is partner {partner}'s {'now' if new else 'already'}.")
        except Refusal as refusal:
            refused += 1
            typer.echo(f"Customer {customer}: {refusal.code}: {refusal}. {refusal.remedy}", err=True)
    return refused


async def _unpacked(file: Path, keys: KeySet, reader: Reader) -> AsyncIterator[Bundle]:
    now = datetime.now(UTC)
    async for found in gathered.Opened(file).bundles(keys, now):
        bundle = await archive.unpack(found.content, keys, now, reader)
        if found.customer_id not in {None, bundle.manifest.customer_id}:
            raise BundleInvalid(f"the bundle of customer {found.customer_id} is another's")
        yield bundle


def _known(keys: str) -> KeySet:
    if keys.startswith(("https://", "http://")):
        return KeySet(url=keys)
    try:
        return keys_of(json.loads(Path(keys).read_text(encoding="utf-8")))
    except (OSError, ValueError) as unreadable:
        raise typer.BadParameter(f"{keys} is no JWKS that can be read") from unreadable
