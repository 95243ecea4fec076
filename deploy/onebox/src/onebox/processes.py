"""Processes: naming one so that its number cannot be mistaken for a later one's, starting it in a group of its own, and stopping it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PATIENCE = 10.0
"""Seconds from asking a process to stop until it is killed."""

_SAME_START = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A process by number and start (seconds since 1970): the kernel gives numbers out again."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    @classmethod
    def read(cls, file: Path) -> "Identity | None":
        """What ``write`` wrote; nothing when there is no such file, or a broken one."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, file: Path) -> None:
        partial = file.with_name(f"{file.name}.partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.rename(file)

    def lives(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) < _SAME_START and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def spawn(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; what it says is appended to the log."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - commands are this package's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            start_new_session=True,
        )


def detach(file: Path) -> bool:
    """Go on in a child that whoever started us does not own. True in that child; its identity is in the file before the parent goes."""
    child = os.fork()
    if child == 0:
        return True
    identity = Identity.of(child)
    if identity is not None:
        identity.write(file)
    return False


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> None:
    """Ask our own child to stop, and kill its group when it does not."""
    if process.poll() is None:
        process.send_signal(how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    kill_group(process.pid)
    process.wait()


def stop_stranger(identity: Identity, how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> bool:
    """The same for a process that is not our child; whether there was one to stop."""
    if not identity.lives():
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(identity.pid, how)
    deadline = time.monotonic() + patience
    while identity.lives() and time.monotonic() < deadline:
        time.sleep(0.05)
    if identity.lives():
        kill_group(identity.pid)
    return True


def kill_group(leader: int) -> None:
    """Kill whatever is left in a group; that it is empty already is what one hopes for."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def last_lines(log: Path, count: int = 20) -> str:
    """The end of a log, for a message to a person."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""
