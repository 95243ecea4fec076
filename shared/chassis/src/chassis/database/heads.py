"""Whether a schema is as new as the code that runs on it.

Revisions are numbered (``0007_what_it_does.py``), so the newest file names the head and no
migration is loaded to find it. A newer schema is welcome: it is brought up before the code
that needs it, and the code of before runs on.
"""

from pathlib import Path
from typing import Any, Final

CHASSIS: Final = Path(__file__).parent.parent / "migrations"
HISTORIES: Final = ("chassis_version", "service_version")
"""The version tables: the chassis' tables have a history of their own, before the service's."""


def head(migrations: Path) -> str:
    """The number of the newest revision in a folder of migrations."""
    return max(file.stem.partition("_")[0] for file in (migrations / "versions").glob("[0-9]*_*.py"))


async def pending(connection: Any, migrations: Path | None) -> list[str]:
    """Version tables that are behind this code (readiness). ``connection`` is an asyncpg connection."""
    return [
        table
        for table, folder in zip(HISTORIES, (CHASSIS, migrations), strict=True)
        if folder is not None and (await connection.fetchval(f"select max(version_num) from {table}") or "") < head(folder)  # noqa: S608 (constants)
    ]
