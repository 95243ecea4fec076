"""Status: what the supervisor last wrote about every process, set right by asking which of them live."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from onebox.home import Home
from onebox.processes import Identity


class State(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(slots=True)
class Entry:
    """One process. ``started_at`` is in seconds since 1970 and tells it from a later process of the same number."""

    name: str
    address: str = ""
    state: State = State.WAITING
    pid: int | None = None
    started_at: float | None = None
    restarts: int = 0
    note: str = ""
    errand: bool = False

    @property
    def identity(self) -> Identity | None:
        return Identity(self.pid, self.started_at) if self.pid is not None and self.started_at is not None else None

    def shown(self) -> dict[str, Any]:
        started = datetime.fromtimestamp(self.started_at, UTC).isoformat() if self.started_at else None
        return {
            "name": self.name,
            "pid": self.pid,
            "address": self.address,
            "state": self.state,
            "restarts": self.restarts,
            "started_at": started,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Status:
    entries: list[Entry]

    def write(self, home: Home) -> None:
        partial = home.status_file.with_suffix(".partial")
        partial.write_text(json.dumps([asdict(entry) for entry in self.entries]))
        partial.rename(home.status_file)

    @classmethod
    def written(cls, home: Home) -> "Status":
        try:
            entries = [Entry(**entry) for entry in json.loads(home.status_file.read_text())]
        except FileNotFoundError:
            return cls([])
        for entry in entries:
            entry.state = State(entry.state)
        return cls(entries)

    @classmethod
    def read(cls, home: Home) -> "Status":
        """As written, but what is dead is not said to run. Errands that are done are left out."""
        status = cls([entry for entry in cls.written(home).entries if not (entry.errand and entry.state is State.DONE)])
        for entry in status.entries:
            if entry.identity is not None and not entry.identity.lives():
                entry.state, entry.pid = State.STOPPED, None
        return status

    def named(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.name == name), None)

    @property
    def all_running(self) -> bool:
        return bool(self.entries) and all(entry.state is State.RUNNING for entry in self.entries)
