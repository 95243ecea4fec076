"""A PostgreSQL and a Kafka for tests: a fresh folder, free ports, nothing flushed to disk.

``python -m onebox.stack NAME FOLDER OWNER`` keeps one of them for as long as the owning process lives, so that a killed
test run leaves nothing behind. It writes the address to ``FOLDER/NAME.json`` once the server answers.
"""

import asyncio
import contextlib
import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from onebox import kafka, postgres
from onebox.artifacts import ArtifactMissing, Progress
from onebox.ports import free_ports
from onebox.postgres import PostgresAddress
from onebox.processes import Identity, detach, last_lines, spawn, stop

_HUNDREDS: Final = {"autovacuum_naptime": "1h"}
"""Tests leave hundreds of databases: to look at each once a minute would be all the server does."""


class StackFailed(Exception):
    """A server of the test stack did not come up, or died."""


@dataclass(frozen=True, slots=True)
class Running[Address]:
    address: Address
    alive: Callable[[], bool]


type Part = Callable[[Path], AbstractContextManager[Running[Any]]]


@contextmanager
def running_postgres(folder: Path, progress: Progress | None = None) -> Iterator[Running[PostgresAddress]]:
    installation = postgres.fetch(progress)
    address = PostgresAddress("127.0.0.1", free_ports(1)[0], "postgres", secrets.token_urlsafe(24))
    data, log = folder / "postgres", folder / "postgres.log"
    postgres.initialise(installation, data, address.password)
    process = spawn(postgres.command(installation, data, address.port, lasting=False, **_HUNDREDS), log)
    try:
        _await_answer(lambda: asyncio.run(postgres.ready(address)), log)
        yield Running(address, lambda: process.poll() is None)
    finally:
        stop(process, signal.SIGINT)
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def running_kafka(folder: Path, progress: Progress | None = None) -> Iterator[Running[str]]:
    installation = kafka.fetch(progress)
    port, controller_port = free_ports(2)
    data, log = folder / "kafka", folder / "kafka.log"
    kafka.initialise(installation, data)
    process = spawn(kafka.command(installation, data, port, controller_port), log)
    address = f"127.0.0.1:{port}"
    try:
        _await_answer(lambda: asyncio.run(kafka.ready(address)), log)
        yield Running(address, lambda: process.poll() is None)
    finally:
        stop(process)
        shutil.rmtree(data, ignore_errors=True)


PARTS: dict[str, Part] = {"postgres": running_postgres, "kafka": running_kafka}


def keep(parts: Mapping[str, Part], name: str, folder: Path, owner: Identity) -> None:
    """Run one server until the owner is gone, the server dies, or a signal comes."""
    with parts[name](folder) as running:
        described = asdict(running.address) if isinstance(running.address, PostgresAddress) else running.address
        publish(folder / f"{name}.json", {name: described})
        while owner.lives() and running.alive():
            time.sleep(0.5)
    with contextlib.suppress(FileNotFoundError):
        (folder / f"{name}.json").unlink()
    if not owner.lives():
        shutil.rmtree(folder, ignore_errors=True)


def publish(file: Path, addresses: dict[str, Any]) -> None:
    """Write addresses so that a reader sees all of them or no file; they hold a password."""
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(addresses))
    partial.rename(file)


def read(file: Path) -> dict[str, Any]:
    """What ``publish`` wrote: ``postgres`` as ``PostgresAddress``, ``kafka`` as ``host:port``."""
    described = json.loads(file.read_text())
    if "postgres" in described:
        described["postgres"] = PostgresAddress(**described["postgres"])
    return dict(described)


def _await_answer(answer: Callable[[], None], log: Path) -> None:
    try:
        answer()
    except (postgres.PostgresFailed, kafka.KafkaFailed) as error:
        raise StackFailed(f"{error}\n{last_lines(log)}") from error


def keep_for_owner(parts: Mapping[str, Part], arguments: list[str]) -> None:
    """The command line of a keeper (name, folder, the owner's process number); returns at once in the process that was started."""
    name, folder, owning = arguments
    owner = Identity.of(int(owning))
    if owner is None or not detach(Path(folder) / f"{name}.keeper"):
        return
    signal.signal(signal.SIGTERM, _leave)
    keep(parts, name, Path(folder), owner)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    try:
        keep_for_owner(PARTS, sys.argv[1:])
    except (StackFailed, ArtifactMissing, postgres.PostgresFailed, kafka.KafkaFailed) as failed:
        sys.exit(str(failed))
