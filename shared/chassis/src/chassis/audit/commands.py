"""The commands over ledgers: ``python -m customers audit verify``, and the same of a service's own.

Where each chain ends is written over what was kept before only when nothing was found: a tampered
end is never the one that later ones are held against.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from chassis.audit import sealing, verifying
from chassis.audit.walking import Heads, Report
from chassis.database.worker import WorkerDatabase
from chassis.operations import run_with

_TAMPERED: Final = 1

type Opened = Callable[[], WorkerDatabase]
type Verifying = Callable[[WorkerDatabase, Heads], Awaitable[Report]]

_Kept = Annotated[Path | None, typer.Option(help="heads that were written before: each chain must go on from there", exists=True)]
_Keep = Annotated[Path | None, typer.Option(help="write where each chain ends to this file, when nothing is found; keep it elsewhere")]


def audit(opened: Opened) -> typer.Typer:
    """The command over the audit of one service; ``opened`` gives its database."""
    return ledger(opened, _verified, verifying.AUDIT.owner, about="Who did what, and whether that is still what was recorded.")


def ledger(opened: Opened, verified: Verifying, owner: str, *, about: str) -> typer.Typer:
    """The command over one ledger, whose chains are each an ``owner``'s: a partner's, a customer's."""
    app = typer.Typer(no_args_is_help=True, help=about)

    @app.callback(help=about)
    def only() -> None: ...

    @app.command()
    def verify(kept: _Kept = None, keep: _Keep = None) -> None:
        """Compute every chain again; exits with 1 when something is not as it was recorded."""
        noted = _read(kept) if kept else {}

        async def verifying_all(database: WorkerDatabase) -> Report:
            return await verified(database, noted)

        report = run_with(opened(), verifying_all)
        _say(report, owner)
        if report.findings:
            if keep is not None:
                typer.echo(f"{keep} was left as it is", err=True)
            raise typer.Exit(_TAMPERED)
        if keep is not None:
            keep.write_text(_written(report.heads), encoding="utf-8")

    return app


def _say(report: Report, owner: str) -> None:
    for finding in report.findings:
        where = f"entry {finding.number}" if finding.number else "chain"
        typer.echo(f"{owner} {finding.owner}: {where}: {finding.what}", err=True)
    waiting = f"; {report.unsealed:,} have waited for more than a minute to be sealed" if report.unsealed else ""
    typer.echo(f"{report.entries:,} entries of {len(report.heads):,} {owner}s, {len(report.findings):,} findings{waiting}")


async def _verified(database: WorkerDatabase, kept: Heads) -> Report:
    async with database.work() as work:
        await sealing.seal(work.session)
    async with database.work() as work:
        return await verifying.verify(work.session, kept=kept)


def _read(path: Path) -> Heads:
    heads = json.loads(path.read_text(encoding="utf-8"))
    return {UUID(owner): (number, bytes.fromhex(digest)) for owner, (number, digest) in heads.items()}


def _written(heads: Heads) -> str:
    return json.dumps({str(owner): [number, digest.hex()] for owner, (number, digest) in heads.items()}, indent=1) + "\n"
