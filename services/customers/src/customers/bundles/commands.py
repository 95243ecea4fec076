"""``bundle``: for whoever operates an installation, who exports whole customers and imports them under a partner (BEY-15)."""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, Final, Self
from uuid import UUID

import typer
from joserfc.jwk import OKPKey
from sqlalchemy import select

from chassis.bundles import gathered
from chassis.bundles.commands import add
from chassis.database import WorkerDatabase
from chassis.operations import run_with
from customers.bundles import exporting, importing
from customers.bundles.content import READER
from customers.rules.bundle_parts import Parts
from customers.tables.customers import Customer

_ABOUT: Final = "Customers with their history as signed files: exported, verified, imported."

type Signing = Callable[[], tuple[OKPKey, Parts]]
"""What bundles are signed with, and who is asked for the other services' parts."""


def commands(opened: Callable[[], WorkerDatabase], signing: Signing) -> typer.Typer:
    """The commands of customers: those that every service with a part has, and ``export``."""
    app = typer.Typer(help=_ABOUT, no_args_is_help=True)

    @app.command()
    def export(
        *,
        out: Annotated[Path, typer.Option(dir_okay=False, help="Where the bundle is written; there must be no such file yet.")],
        customer: Annotated[UUID | None, typer.Option(help="Its id.")] = None,
        partner: Annotated[UUID | None, typer.Option(help="The id of a partner: all its customers that can leave, in one file.")] = None,
    ) -> None:
        """Export a customer, or all of a partner's. The file is its owner's alone to read: it is about persons."""
        if (customer is None) == (partner is None):
            raise typer.BadParameter("name a customer or a partner")
        if out.exists():
            raise typer.BadParameter(f"{out} is there already")
        key, parts = signing()

        async def exported(database: WorkerDatabase) -> int:
            async with _Whole(database, key, parts) as whole:
                made = whole.one(customer) if customer is not None else whole.all(partner)
                return await _written(out, made)

        size = run_with(opened(), exported)
        typer.echo(f"{f'Customer {customer}' if customer else f'Partner {partner}'}: {size} bytes.")

    add(app, opened, READER, importing.take_in)
    return app


class _Whole:
    """Whole bundles, each of a transaction of its own; those of many wait on the disk for the manifest that comes first."""

    def __init__(self, database: WorkerDatabase, key: OKPKey, parts: Parts) -> None:
        self._database = database
        self._key = key
        self._parts = parts
        self._folder = tempfile.TemporaryDirectory(prefix="bundles-")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._folder.cleanup()

    async def one(self, customer_id: UUID) -> AsyncIterator[bytes]:
        yield await self._export(customer_id)

    async def all(self, partner_id: Any) -> AsyncIterator[bytes]:
        """Every customer of a partner, in the order of their ids."""
        hashes = dict[UUID, str]()
        for customer_id in await self._customers(partner_id):
            bundle = await self._export(customer_id)
            self._path(customer_id).write_bytes(bundle)
            hashes[customer_id] = hashlib.sha256(bundle).hexdigest()
        async for piece in gathered.collected(partner_id, hashes, self._read(hashes), self._key):
            yield piece

    async def _customers(self, partner_id: UUID) -> list[UUID]:
        mine = select(Customer.id).where(Customer.partner_id == partner_id, Customer.status.in_(exporting.PORTABLE)).order_by(Customer.id)
        async with self._database.work() as work:
            return list(await work.session.scalars(mine))

    async def _export(self, customer_id: UUID) -> bytes:
        async with self._database.work() as work:
            return await exporting.export_whole(work, customer_id, self._key, self._parts)

    async def _read(self, hashes: dict[UUID, str]) -> AsyncIterator[tuple[UUID, bytes]]:
        for customer_id in hashes:
            yield customer_id, self._path(customer_id).read_bytes()

    def _path(self, customer_id: UUID) -> Path:
        return Path(self._folder.name, str(customer_id))


async def _written(out: Path, pieces: AsyncIterator[bytes]) -> int:
    """The file is there when it is whole, or not at all."""
    size, beside = 0, out.with_name(f"{out.name}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            async for piece in pieces:
                size += file.write(piece)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return size
