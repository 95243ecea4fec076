"""What is printed and written of results: the table, ``docs/performance.md``, JSON."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.frame import Result, Row

_COLUMNS: Final = ("", "work", "figure", "limit, in the same run", "ratio", "bar", "")
_VERSIONS: Final = ("fastapi", "uvicorn", "asyncpg", "sqlalchemy", "aiokafka", "pyreqwest", "pydantic", "msgspec")


def line(result: Result) -> str:
    """One row for the terminal."""
    figures = f"{_figure(result.ours, result.row.unit):>16} {_figure(result.limit, result.row.unit):>16} {_ratio(result):>7}"
    said = f"{result.row.id:<4} {result.row.work[:58]:<58} {figures}  {_bar(result.row):<20} {result.verdict}"
    return said + (f": {result.missing}" if result.missing else "")


def document(results: Sequence[Result]) -> str:
    """The whole page, without a date, so that it changes where figures do."""
    table = [_cells(_COLUMNS), _cells("---" for _ in _COLUMNS)]
    table += [_cells(_row(result)) for result in results]
    againsts = [f"- **{one.row.id}** against {one.row.against}." for one in results if one.row.against]
    told = [one for one in results if one.verdict == "short" or (one.verdict == "printed" and one.row.cause)]
    causes = [f"- **{one.row.id}** ({one.verdict}): {one.row.cause or 'why is not known yet'}." for one in told]
    missing = [f"- **{one.row.id}** was not measured: {one.missing}." for one in results if one.missing]
    return "\n".join(
        (
            "# Performance",
            "",
            "Written by `make bench`, which measures everything anew beside the bare limit in the same run, three rounds by turns, and",
            "fails where a ratio is short of its bar. Figures are the machine's and never judged; ratios are the code's. A µs CPU is",
            "processor time of the process under test, which moves least with the neighbours.",
            "",
            f"Measured on {machine()}.",
            "",
            *table,
            "",
            "## Against what",
            "",
            *againsts,
            "",
            "## What is short, and why",
            "",
            *(causes + missing or ["Nothing."]),
            "",
        )
    )


def as_json(results: Sequence[Result]) -> str:
    """The same for a machine."""
    return json.dumps({"machine": machine(), "rows": [_json(result) for result in results]}, indent=2) + "\n"


def machine() -> str:
    """Cores, processor and versions."""
    model = next((said.partition(":")[2].strip() for said in _lines("/proc/cpuinfo") if said.startswith("model name")), platform.machine())
    libraries = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, PostgreSQL and Kafka of the onebox, {libraries}"


def _row(result: Result) -> tuple[str, ...]:
    row = result.row
    figures = (_figure(result.ours, row.unit), _figure(result.limit, row.unit), _ratio(result))
    return row.id, row.work, *figures, _bar(row), result.verdict


def _json(result: Result) -> dict[str, Any]:
    row = result.row
    bar = None if row.bar is None else {"bar": row.bar.bar, "aim": row.bar.aim, "most": row.bar.most}
    measured = {"figure": result.ours, "limit": result.limit, "ratio": result.ratio, "verdict": result.verdict, "missing": result.missing}
    return {"id": row.id, "work": row.work, "unit": row.unit, "bar": bar, **measured, "cause": row.cause}


def _bar(row: Row) -> str:
    return "" if row.bar is None else str(row.bar)


def _ratio(result: Result) -> str:
    return "" if result.ratio is None else f"{result.ratio:.2f}"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
