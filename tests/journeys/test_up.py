"""``make up`` and its fellows as a newcomer types them: started, started twice, stopped, started again with the data still there."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
import pytest

from onebox import people
from onebox.api import Api
from onebox.home import Home
from onebox.people import BISTROT, MANAGEMENT_TYPES, NORTHWIND
from onebox.ports import free_ports
from onebox.status import State, Status

A_DOZEN = 12


@dataclass(frozen=True, slots=True)
class Installation:
    home: Home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command to its end, as ``make`` runs it."""
        chosen = {"PARTNERDECK_HOME": str(self.home.folder), "PARTNERDECK_PORT": str(self.home.gateway_port), "COLUMNS": "200"}
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "onebox", *arguments], env=os.environ | chosen, capture_output=True, text=True, timeout=240, check=False
        )

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--json").stdout))

    def pids(self) -> dict[str, int]:
        return {each["name"]: each["pid"] for each in self.status()["processes"] if each["pid"]}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started once, with the tour; the tests follow one another as a day's work does."""
    home = Home(tmp_path_factory.mktemp("newcomer") / "home", gateway_port=free_ports(1)[0])
    installation = Installation(home)
    try:
        yield installation
    finally:
        installation.run("down")


async def customers_by_type(installation: Installation) -> dict[str, set[str]]:
    """Names of the seeded partners' customers, by management type."""
    found: dict[str, set[str]] = {each: set() for each in MANAGEMENT_TYPES}
    async with httpx.AsyncClient(base_url=installation.home.gateway(), timeout=30) as http:
        for partner in (NORTHWIND, BISTROT):
            api = await Api(http).signed_in(partner.email, people.PASSWORD)
            for each in (await api.get("/v1/customers", limit="200"))["items"]:
                found[each["management_type"]].add(each["company"]["name"])
    return found


@pytest.fixture(scope="module")
def first(installation: Installation) -> subprocess.CompletedProcess[str]:
    return installation.run("up")


def test_up_shows_the_main_job_and_says_where_everything_is(first: subprocess.CompletedProcess[str], installation: Installation) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    facts = ("customer.created", "trial.started", "endpoint.reported", "trial.converted", "billing.line_rated")
    for said in (*facts, "require update: 1; alerts: 2 critical", "main job is done", installation.home.gateway(), NORTHWIND.email):
        assert said in first.stdout, first.stdout


def test_everything_runs_and_every_process_is_named(first: subprocess.CompletedProcess[str], installation: Installation) -> None:
    del first
    status = installation.status()

    assert status["running"]
    named = {each["name"] for each in status["processes"]}
    assert {"postgres", "kafka", "mail", "customers", "licensing", "reporting", "notifications", "gateway", "billing"} <= named
    assert all(psutil.pid_exists(pid) for pid in installation.pids().values())


async def test_the_seed_is_a_dozen_customers_of_each_management_type(
    first: subprocess.CompletedProcess[str], installation: Installation
) -> None:
    del first
    found = await customers_by_type(installation)

    assert {each: len(names) >= A_DOZEN for each, names in found.items()} == dict.fromkeys(MANAGEMENT_TYPES, True), found


def test_started_twice_it_says_so_and_starts_nothing(first: subprocess.CompletedProcess[str], installation: Installation) -> None:
    del first
    before = installation.pids()

    second = installation.run("up", "--no-tour")

    assert second.returncode == 0
    assert "runs already" in second.stdout
    assert installation.pids() == before


async def test_down_leaves_no_process_and_up_again_finds_the_data(
    first: subprocess.CompletedProcess[str], installation: Installation
) -> None:
    del first
    seeded = await customers_by_type(installation)
    pids = installation.pids()

    down = installation.run("down")

    assert "no process is left" in down.stdout
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    assert not _listens(installation.home.gateway_port)
    assert installation.run("up", "--no-tour").returncode == 0
    assert await customers_by_type(installation) == seeded
    errands = [entry for entry in Status.written(installation.home).entries if entry.errand]
    assert {(entry.state, entry.note) for entry in errands} == {(State.DONE, "unchanged")}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
