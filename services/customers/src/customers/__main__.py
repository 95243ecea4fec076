"""The verbs of the customers service, and two of its own: ``bootstrap`` and ``load-screening``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.clock import SystemClock
from chassis.database import Work, WorkerDatabase
from chassis.environment import EnvironmentSettings, load
from chassis.errors import Refusal
from chassis.verbs import verbs
from contracts.root import ROOT_PARTNER_ID
from customers import denied_parties
from customers.app import service
from customers.bootstrap import Bootstrap
from customers.bootstrap import bootstrap as make_root
from customers.denied_parties import BadList
from customers.rules import passwords
from customers.rules.passwords import Passwords
from customers.rules.screening import DeniedParty
from customers.settings import Settings

app = verbs(Settings, service)


class FirstOperator(EnvironmentSettings):
    """``CUSTOMERS_BOOTSTRAP_PASSWORD``, or the file that ``CUSTOMERS_BOOTSTRAP_PASSWORD_FILE`` names: the first operator's."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERS_BOOTSTRAP_")

    password: SecretStr


@app.command()
def bootstrap(email: Annotated[str, typer.Option(help="The first operator's login.")]) -> None:
    """Make the root party and its first operator, whose password is CUSTOMERS_BOOTSTRAP_PASSWORD. Twice is once."""
    password = load(FirstOperator).password.get_secret_value()
    try:
        passwords.check(password, email)
        made = asyncio.run(_bootstrap(Bootstrap(email=email, password_hash=Passwords().hash_now(password))))
    except Refusal as refusal:
        typer.echo(f"{refusal.detail} {refusal.remedy}", err=True)
        raise typer.Exit(1) from refusal
    typer.echo(f"{email} is the first operator." if made else "There is an operator already; nothing was changed.")


@app.command(name="load-screening")
def load_screening(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: name, country, list, reference.")]) -> None:
    """Load lists of denied parties. What the file names replaces the whole list of that name."""
    try:
        parties = denied_parties.read_file(file)
    except BadList as bad:
        typer.echo(str(bad), err=True)
        raise typer.Exit(1) from bad
    for name, count in sorted(asyncio.run(_load(parties)).items()):
        typer.echo(f"{name}: {count} names")


async def _bootstrap(command: Bootstrap) -> bool:
    async with _working() as work, work.item(ROOT_PARTNER_ID) as tx:
        return await make_root(tx, command)


async def _load(parties: list[DeniedParty]) -> dict[str, int]:
    async with _working() as work:
        return await denied_parties.load(work, parties)


@asynccontextmanager
async def _working() -> AsyncIterator[Work]:
    database = WorkerDatabase(load(Settings).database("customers"), SystemClock())
    await database.open()
    try:
        async with database.work() as work:
            yield work
    finally:
        await database.close()


if __name__ == "__main__":
    app()
