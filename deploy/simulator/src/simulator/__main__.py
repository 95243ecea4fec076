"""The sample programs: ``python -m simulator billing|lines|console|product``."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import asyncpg
import typer
import uvicorn

from simulator import books
from simulator.billing import BillingConsumer, connected
from simulator.console import app as console_app
from simulator.product import Product
from simulator.settings import ConsoleSettings, ProductSettings, Settings, load

_SHOWN: Final = ("subscription_id", "reason", "offer", "quantity", "unit_price", "amount", "currency", "period_from", "period_to")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def billing() -> None:
    """Keep the books: read the billing topics until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    asyncio.run(_until_told(BillingConsumer(load(Settings))))


@app.command()
def product() -> None:
    """Be the sample product: take over every policy that it is sent, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    asyncio.run(_until_told(Product(load(ProductSettings))))


@app.command()
def lines(as_json: Annotated[bool, typer.Option("--json", help="Everything known of each line.")] = False) -> None:  # noqa: FBT002 (typer's way)
    """Print the rated lines in the books."""
    found = asyncio.run(_lines(load(Settings)))
    typer.echo(json.dumps([_plain(row) for row in found], indent=1) if as_json else _table(found))


@app.command()
def console() -> None:
    """Serve the sample product console, which partners enter through Partnerdeck."""
    settings = load(ConsoleSettings)
    uvicorn.run(console_app(settings), host=settings.console_host, port=settings.console_port, access_log=False, server_header=False)


async def _until_told(program: BillingConsumer | Product) -> None:
    """Run it until SIGTERM or SIGINT."""
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, program.stop)
    await program.run()


async def _lines(settings: Settings) -> list[asyncpg.Record]:
    async with connected(settings) as connection:
        try:
            return await books.lines(connection)
        except asyncpg.UndefinedTableError:
            return []


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, int) else _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _table(rows: Sequence[asyncpg.Record]) -> str:
    cells = [_SHOWN, *(tuple(_text(row[name]) for name in _SHOWN) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)


if __name__ == "__main__":
    app()
