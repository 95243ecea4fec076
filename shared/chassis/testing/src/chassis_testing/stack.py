"""The test stack: one real PostgreSQL and one real Kafka per test run, shared by all its workers.

Each is started by the first test that asks for it, under a file lock, and belongs to the process the run began with:
its keeper stops it when that process ends, whatever ended it. ``PARTNERDECK_TEST_STACK`` chooses where they come from:
``onebox`` (or nothing) child processes, ``containers`` a container engine, a path the file that ``partnerdeck test-stack`` wrote.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from onebox.postgres import PostgresAddress
from onebox.processes import PATIENCE, Identity, last_lines, spawn, stop_stranger
from onebox.stack import read

__all__ = ["PostgresAddress", "kafka", "postgres"]

_KEEPERS = {"": "onebox.stack", "onebox": "onebox.stack", "containers": "chassis_testing.containers"}
_FETCHING = 300.0  # a first run fetches the binaries
_FOLDER = pytest.StashKey[Path]()


class Stack:
    """The servers of this run, as seen from one worker."""

    def __init__(self, folder: Path, owner: int) -> None:
        self.folder = folder
        self.owner = owner
        self.choice = os.environ.get("PARTNERDECK_TEST_STACK", "")

    def address(self, name: str) -> Any:
        """Where the server is, started first when it is not there; what asks for one that does not start fails at once, everywhere."""
        if self.choice not in _KEEPERS:
            return self._reused(name)
        with _exclusively(self.folder / f"{name}.lock"):
            file, failed = self.folder / f"{name}.json", self.folder / f"{name}.failed"
            if not file.exists() and not failed.exists() and (reason := self._start(name, file)):
                failed.write_text(reason)
            if failed.exists():
                pytest.fail(failed.read_text(), pytrace=False)
            return read(file)[name]

    def _reused(self, name: str) -> Any:
        try:
            return read(Path(self.choice))[name]
        except (OSError, ValueError, KeyError) as error:
            what = f"PARTNERDECK_TEST_STACK={self.choice} names no running test stack ({error!r})"
            pytest.fail(f"{what}: start one with `partnerdeck test-stack`", pytrace=False)

    def _start(self, name: str, file: Path) -> str:
        """Why it did not start; nothing when it did."""
        log = self.folder / f"{name}.keeper.log"
        spawn([sys.executable, "-m", _KEEPERS[self.choice], name, str(self.folder), str(self.owner)], log).wait()
        keeper = Identity.read(self.folder / f"{name}.keeper")
        deadline = time.monotonic() + _FETCHING
        while not file.exists():
            if keeper is None or not keeper.lives() or time.monotonic() > deadline:
                return f"the {name} of the test stack did not start:\n{last_lines(log)}"
            time.sleep(0.05)
        return ""


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Stack:
    shared = getattr(pytestconfig, "workerinput", None)
    if shared is not None:
        return Stack(Path(shared["stack_folder"]), shared["stack_owner"])
    return Stack(pytestconfig.stash[_FOLDER], os.getpid())


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> PostgresAddress:
    """The run's PostgreSQL."""
    address: PostgresAddress = stack.address("postgres")
    return address


@pytest.fixture(scope="session")
def kafka(stack: Stack) -> str:
    """The run's Kafka, as ``host:port``."""
    return str(stack.address("kafka"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="partnerdeck-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """What xdist's workers need to find the same servers."""
    node.workerinput["stack_folder"] = str(node.config.stash[_FOLDER])
    node.workerinput["stack_owner"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_FOLDER, None)
    if folder is None:
        return
    for file in folder.glob("*.keeper"):
        keeper = Identity.read(file)
        if keeper is not None:
            stop_stranger(keeper, patience=2 * PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _exclusively(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
