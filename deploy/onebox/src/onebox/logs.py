"""Logs: the ends of every process's log, and what is added to them."""

import time
from collections.abc import Iterator
from pathlib import Path

from onebox.home import Home
from onebox.processes import last_lines


def named(home: Home, name: str | None) -> list[Path]:
    """The logs to show; all of them without a name, the newest last."""
    files = sorted((home.folder / "logs").glob("*.log"), key=lambda file: file.stat().st_mtime)
    return [file for file in files if name in {None, file.stem}]


def ends(files: list[Path], count: int) -> Iterator[tuple[str, str]]:
    """Name and line."""
    for file in files:
        for line in last_lines(file, count).splitlines():
            yield file.stem, line


def follow(files: list[Path]) -> Iterator[tuple[str, str]]:
    """Name and line of what is written from now on, until the reader stops."""
    read = {file: file.stat().st_size for file in files}
    while True:
        for file in files:
            with file.open("rb") as log:
                log.seek(read[file])
                for line in log:
                    if line.endswith(b"\n"):
                        read[file] += len(line)
                        yield file.stem, line.decode(errors="replace").rstrip("\n")
        time.sleep(0.25)
