"""The verbs of the customers service, and those of its own: ``bootstrap``, ``load-screening`` and ``consents verify``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.audit.commands import Heads, read_heads, written_heads
from chassis.clock import SystemClock
from chassis.database import Work, WorkerDatabase
from chassis.environment import EnvironmentSettings, load
from chassis.errors import Refusal
from chassis.verbs import verbs
from contracts.root import ROOT_PARTNER_ID
from customers.app import service
from customers.bootstrap import Bootstrap
from customers.bootstrap import bootstrap as make_root
from customers.consents import verifying
from customers.denied_parties import loading, rescreening
from customers.denied_parties.files import BadList, read_file
from customers.rules import password_rules
from customers.rules.passwords import Passwords
from customers.rules.screening import DeniedParty
from customers.settings import Settings

app = verbs(Settings, service)

_FILE: Final = "CSV with the columns name, country, list and reference; OFAC's SDN list or the EU's consolidated list as XML."
consents = typer.Typer(no_args_is_help=True, help="What customers consented to, and whether that is still what was recorded.")
app.add_typer(consents, name="consents")

_TAMPERED: Final = 1
_Kept = Annotated[Path | None, typer.Option(help="heads that were written before: each chain must go on from there", exists=True)]
_Keep = Annotated[Path | None, typer.Option(help="write where each chain ends to this file; keep it elsewhere")]


class FirstOperator(EnvironmentSettings):
    """``CUSTOMERS_BOOTSTRAP_PASSWORD``, or the file that ``CUSTOMERS_BOOTSTRAP_PASSWORD_FILE`` names: the first operator's."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERS_BOOTSTRAP_")

    password: SecretStr


@app.command()
def bootstrap(email: Annotated[str, typer.Option(help="The first operator's login.")]) -> None:
    """Make the root party and its first operator, whose password is CUSTOMERS_BOOTSTRAP_PASSWORD. Twice is once."""
    password = load(FirstOperator).password.get_secret_value()
    try:
        password_rules.check(password, [email])
        made = asyncio.run(_bootstrap(Bootstrap(email=email, password_hash=Passwords().hash_now(password))))
    except Refusal as refusal:
        typer.echo(f"{refusal.detail} {refusal.remedy}", err=True)
        raise typer.Exit(1) from refusal
    typer.echo(f"{email} is the first operator." if made else "There is an operator already; nothing was changed.")


@app.command(name="load-screening")
def load_screening(
    file: Annotated[Path, typer.Argument(dir_okay=False, exists=True, help=_FILE)],
    *,
    rescreen: Annotated[bool, typer.Option(help="Have every customer looked at again by a worker.")] = True,
) -> None:
    """Load lists of denied parties. What the file names replaces the whole list of that name."""
    try:
        parties = read_file(file)
    except BadList as bad:
        typer.echo(str(bad), err=True)
        raise typer.Exit(1) from bad
    for name, count in sorted(asyncio.run(_load(parties, rescreen=rescreen)).items()):
        typer.echo(f"{name}: {count} names")


@consents.callback()
def only() -> None:
    """What customers consented to, and whether that is still what was recorded."""


@consents.command()
def verify(kept: _Kept = None, keep: _Keep = None) -> None:
    """Compute every customer's chain again; exits with 1 when something is not as it was recorded."""
    report = asyncio.run(_verified(read_heads(kept) if kept else {}))
    for finding in report.findings:
        where = f"entry {finding.number}" if finding.number else "chain"
        typer.echo(f"customer {finding.customer_id}: {where}: {finding.what}", err=True)
    if keep is not None:
        keep.write_text(written_heads(report.heads), encoding="utf-8")
    typer.echo(f"{report.entries:,} entries of {len(report.heads):,} customers, {len(report.findings):,} findings")
    if report.findings:
        raise typer.Exit(_TAMPERED)


async def _verified(kept: Heads) -> verifying.Report:
    async with _working() as work:
        return await verifying.verify(work.session, kept=kept)


async def _bootstrap(command: Bootstrap) -> bool:
    async with _working() as work, work.item(ROOT_PARTNER_ID) as tx:
        return await make_root(tx, command)


async def _load(parties: list[DeniedParty], *, rescreen: bool) -> dict[str, int]:
    async with _working() as work:
        loaded = await loading.load(work, parties)
        if rescreen:
            async with work.item(ROOT_PARTNER_ID) as tx:
                await rescreening.begin(tx)
        return loaded


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
