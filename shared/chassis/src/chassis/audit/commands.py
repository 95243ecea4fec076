"""The command over the audit: ``python -m customers audit verify``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from chassis.audit import sealing, verifying
from chassis.audit.verifying import Head, Report
from chassis.database.worker import WorkerDatabase
from chassis.operations import run_with

_TAMPERED: Final = 1

type Heads = dict[UUID, Head]

_Kept = Annotated[Path | None, typer.Option(help="heads that were written before: each chain must go on from there", exists=True)]
_Keep = Annotated[Path | None, typer.Option(help="write where each chain ends to this file; keep it elsewhere")]


def audit(opened: Callable[[], WorkerDatabase]) -> typer.Typer:
    """The command of one service; ``opened`` gives its database."""
    app = typer.Typer(no_args_is_help=True, help="Who did what, and whether that is still what was recorded.")

    @app.callback()
    def only() -> None:
        """Who did what, and whether that is still what was recorded."""

    @app.command()
    def verify(kept: _Kept = None, keep: _Keep = None) -> None:
        """Compute every chain again; exits with 1 when something is not as it was recorded."""
        report = run_with(opened(), lambda database: _verified(database, read_heads(kept) if kept else {}))
        for finding in report.findings:
            where = f"entry {finding.number}" if finding.number else "chain"
            typer.echo(f"partner {finding.partner_id}: {where}: {finding.what}", err=True)
        if keep is not None:
            keep.write_text(written_heads(report.heads), encoding="utf-8")
        waiting = f"; {report.unsealed:,} have waited for more than a minute to be sealed" if report.unsealed else ""
        typer.echo(f"{report.entries:,} entries of {len(report.heads):,} partners, {len(report.findings):,} findings{waiting}")
        if report.findings:
            raise typer.Exit(_TAMPERED)

    return app


async def _verified(database: WorkerDatabase, kept: Heads) -> Report:
    async with database.work() as work:
        await sealing.seal(work.session)
    async with database.work() as work:
        return await verifying.verify(work.session, kept=kept)


def read_heads(path: Path) -> Heads:
    """Heads that were kept in a file, by whose chain it is."""
    heads = json.loads(path.read_text(encoding="utf-8"))
    return {UUID(partner): (number, bytes.fromhex(digest)) for partner, (number, digest) in heads.items()}


def written_heads(heads: Heads) -> str:
    """Heads as a file keeps them."""
    return json.dumps({str(partner): [number, digest.hex()] for partner, (number, digest) in heads.items()}, indent=1) + "\n"
