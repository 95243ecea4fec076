"""The command: ``python -m benchmarks [--only P5,P8] [--json FILE]``."""

import asyncio
import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
import uvloop

from benchmarks import creating, door, exporting, growing, platform, projecting, relaying, report, requests, screening, showing, starting
from benchmarks.frame import ROWS, Result, Row, measure
from benchmarks.stage import opened
from chassis import memory

MODULES: Final = (requests, creating, screening, relaying, projecting, showing, door, exporting, growing, starting, platform)
"""Where rows are: whoever adds a module names it here."""
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def main(
    only: Annotated[str, typer.Option(help="Rows, with commas between: P5,P8; without, all, and docs/performance.md is written.")] = "",
    to_json: Annotated[Path | None, typer.Option("--json", help="Where to write the figures as JSON.")] = None,
) -> None:
    """Measure, each beside its limit; fail where a ratio is short of its bar after three rounds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    results = uvloop.run(_measured(_wanted(only)))
    if not only:
        PAGE.write_text(report.document(results), encoding="utf-8")
    if to_json is not None:
        to_json.write_text(report.as_json(results), encoding="utf-8")
    short = [one for one in results if one.verdict == "short"]
    for one in short:
        typer.echo(f"{one.row.id} is short. {one.row.cause or 'Why is not known yet: profile it.'}")
    raise typer.Exit(bool(short))


def _wanted(only: str) -> list[Row]:
    """Rows by their numbers; ``P5`` is P5a and P5b too."""
    asked = [one.strip() for one in only.split(",") if one.strip()]
    rows = [one for one in ROWS if not asked or one.id in asked or _parts(one.id)[1] in asked]
    if not rows:
        raise typer.BadParameter(f"there is no row {only}; there are {', '.join(one.id for one in ROWS)}")
    return sorted(rows, key=lambda one: _parts(one.id))


def _parts(row_id: str) -> tuple[int, str, str]:
    number = re.match(r"P(\d+)", row_id)
    return (int(number[1]) if number else 0, number[0] if number else row_id, row_id)


async def _measured(rows: Sequence[Row]) -> list[Result]:
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="partnerdeck-bench-", ignore_cleanup_errors=True) as folder:
        async with opened(Path(folder)) as stage:
            memory.settle()  # as each process of a service does; relays and consumers are measured in this one
            for row in rows:
                results.append(await measure(row, stage))
                await asyncio.to_thread(typer.echo, report.line(results[-1]))
    return results


if __name__ == "__main__":
    typer.run(main)
