"""The limit of changes: pgbench with the statements that one request of ours sent, prepared, and new ids in each transaction.

PostgreSQL's own log tells the statements with their values as literals. Ids that the request
made, and the marker that the request carried wherever a name must be its own, become one text of
twelve digits, which pgbench replaces by a random number.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.frame import NotHere
from chassis.database.settings import DatabaseSettings

MARKER: Final = "917355100842"
"""What a request writes where another request must write something else."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SAID: Final = re.compile(r"LOG:  duration: [0-9.]+ ms  (?:execute [^:]*|statement): (.*)", re.DOTALL)
_VALUE: Final = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_ENTRY: Final = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
_PER_SECOND: Final = re.compile(r"tps = ([0-9.]+)")


def script(log: str) -> str:
    """What pgbench is to run for what a log says."""
    statements = list(_statements(log))
    made = _made(statements)
    lines = [r"\set n random(100000000000, 999999999998)"]
    lines += [f"{_filled(sql, values, made)};" for sql, values in statements]
    return "\n".join(lines) + "\n"


async def per_second(settings: DatabaseSettings, script: Path, *, clients: int, seconds: int) -> float:
    """Transactions a second.

    Raises:
        NotHere: pgbench is not installed.
    """
    program = shutil.which("pgbench")
    if program is None:
        raise NotHere("pgbench is not installed here (Debian, Ubuntu: apt-get install postgresql-contrib)")
    where = ["-h", settings.host, "-p", str(settings.port), "-U", settings.user("api")]
    how = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", str(script)]
    ran = await asyncio.create_subprocess_exec(
        *(program, *where, *how, settings.name),
        env={**os.environ, "PGPASSWORD": settings.password("api")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await ran.communicate())[0].decode()
    found = _PER_SECOND.search(said)
    if found is None or ran.returncode:
        raise RuntimeError(said[-2000:])
    return float(found[1])


def _statements(log: str) -> Iterable[tuple[str, dict[int, str]]]:
    """Each with its values by number, as the log has them."""
    last = ""
    for entry in _ENTRY.split(log):
        said = _SAID.search(entry)
        if said is not None:
            if last:
                yield last, {}
            last = said[1].strip().rstrip(";")
        elif "DETAIL:" in entry and last:
            values = {int(number): value for number, value in _VALUE.findall(entry.partition("DETAIL:")[2].replace("\n\t", "\n"))}
            yield last.replace("\n\t", "\n"), values
            last = ""
    if last:
        yield last, {}


def _made(statements: Iterable[tuple[str, dict[int, str]]]) -> dict[str, str]:
    """Ids that come first where something is inserted are new: each gets a beginning of its own and the marker as its end."""
    made: dict[str, str] = {}
    known: set[str] = set()
    for sql, values in statements:
        inserting = "insert into" in sql.lower()
        for found in (one for value in values.values() for one in _UUID.findall(_readable(value))):
            if inserting and found not in known:
                made.setdefault(found, f"{len(made) + 1:08x}-0000-7000-8000-{MARKER}")
            elif found not in made:
                known.add(found)
    return made


def _filled(sql: str, values: dict[int, str], made: dict[str, str]) -> str:
    def fill(place: re.Match[str]) -> str:
        return _literal(values[int(place[1])], made)

    return re.sub(r"\$(\d+)", fill, sql) if values else sql


def _literal(value: str, made: dict[str, str]) -> str:
    """A value as SQL, in which pgbench finds no variable but its own."""
    if value == "NULL":
        return "NULL"
    said = value[1:-1].replace("''", "'")
    for found, instead in made.items():
        said = said.replace(found, instead).replace(_hex(found), _hex(instead))
    escaped = said.replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\u003a")
    if MARKER in said:
        return f"replace(E'{escaped}', '{MARKER}', (:n)::text)"
    if _hex(MARKER) in said:
        return f"replace(E'{escaped}', '{_hex(MARKER)}', encode(convert_to((:n)::text, 'UTF8'), 'hex'))"
    return f"E'{escaped}'"


def _readable(value: str) -> str:
    """With what is bytes as text too."""
    return value + "".join(bytes.fromhex(one).decode(errors="replace") for one in re.findall(r"\\x((?:[0-9a-f]{2})+)", value))


def _hex(text: str) -> str:
    return text.encode().hex()
