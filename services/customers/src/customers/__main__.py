"""The verbs of the customers service, and those of its own: ``bootstrap``, ``load-screening``, ``consents verify`` and ``bundle``."""

from pathlib import Path
from typing import Annotated, Final

import typer
from joserfc.jwk import OKPKey
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.audit.commands import ledger
from chassis.clock import SystemClock
from chassis.database import WorkerDatabase
from chassis.environment import EnvironmentSettings, load
from chassis.keys import signing_key
from chassis.operations import run_with
from chassis.tokens import Issuer
from chassis.verbs import verbs
from contracts.root import ROOT_PARTNER_ID
from customers.app import service
from customers.bootstrap import Bootstrap
from customers.bootstrap import bootstrap as make_root
from customers.bundles.commands import commands
from customers.consents import verifying
from customers.denied_parties import loading, rescreening
from customers.denied_parties.files import BadList, read_file
from customers.rules import password_rules
from customers.rules.bundle_parts import Parts
from customers.rules.passwords import Passwords
from customers.rules.screening import DeniedParty
from customers.settings import Settings

app = verbs(Settings, service)

_FILE: Final = "CSV with the columns name, country, list and reference; OFAC's SDN list or the EU's consolidated list as XML."


class FirstOperator(EnvironmentSettings):
    """``CUSTOMERS_BOOTSTRAP_PASSWORD``, or the file that ``CUSTOMERS_BOOTSTRAP_PASSWORD_FILE`` names: the first operator's."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERS_BOOTSTRAP_")

    password: SecretStr


@app.command()
def bootstrap(email: Annotated[str, typer.Option(help="The first operator's login.")]) -> None:
    """Make the root party and its first operator, whose password is CUSTOMERS_BOOTSTRAP_PASSWORD. Twice is once."""
    password = load(FirstOperator).password.get_secret_value()

    async def making(database: WorkerDatabase) -> bool:
        password_rules.check(password, [email])
        return await _bootstrap(database, Bootstrap(email=email, password_hash=Passwords().hash_now(password)))

    made = run_with(_opened(), making)
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
    loaded = run_with(_opened(), lambda database: _load(database, parties, rescreen=rescreen))
    for name, count in sorted(loaded.items()):
        typer.echo(f"{name}: {count} names")


async def _bootstrap(database: WorkerDatabase, command: Bootstrap) -> bool:
    async with database.work() as work, work.item(ROOT_PARTNER_ID) as tx:
        return await make_root(tx, command)


async def _load(database: WorkerDatabase, parties: list[DeniedParty], *, rescreen: bool) -> dict[str, int]:
    async with database.work() as work:
        loaded = await loading.load(work, parties)
        if rescreen:
            async with work.item(ROOT_PARTNER_ID) as tx:
                await rescreening.begin(tx)
        return loaded


def _opened() -> WorkerDatabase:
    return WorkerDatabase(load(Settings).database("customers"), SystemClock())


def _signing() -> tuple[OKPKey, Parts]:
    settings = load(Settings)
    key = signing_key(settings.signing_key.get_secret_value())
    return key, Parts(Issuer(key), settings.gateway_url)


_CONSENTS: Final = "What customers consented to, and whether that is still what was recorded."
app.add_typer(commands(_opened, _signing), name="bundle")
app.add_typer(ledger(_opened, verifying.verified, verifying.CONSENTS.owner, about=_CONSENTS), name="consents")


if __name__ == "__main__":
    app()
