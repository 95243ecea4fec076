"""The command ``partnerdeck`` says what is the matter and what to do about it."""

import fcntl
import json
import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onebox.__main__ import app
from onebox.artifacts import ArtifactMissing, install, locked
from onebox.home import Home, PortTaken
from onebox.status import Entry, State, Status


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("PARTNERDECK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PARTNERDECK_PORT", raising=False)
    return Home.chosen()


def test_a_busy_port_is_named_with_what_to_do(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("PARTNERDECK_PORT", str(port))

        result = CliRunner().invoke(app, ["up"], env={"COLUMNS": "200"})

    assert result.exit_code == 1
    assert f"Port {port} is taken" in result.output
    assert "PARTNERDECK_PORT=" in result.output


def test_ports_are_kept_unless_somebody_else_took_them(home: Home) -> None:
    chosen = Home(home.folder, gateway_port=0)
    chosen.prepare()
    first = chosen.choose_ports()
    assert chosen.choose_ports() == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["customers"]))
        other.listen()

        second = chosen.choose_ports()

    assert second["customers"] != first["customers"]
    assert {name: port for name, port in second.items() if name != "customers"} == {
        name: port for name, port in first.items() if name != "customers"
    }


def test_the_gateways_port_is_never_changed_silently(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        wanted = Home(home.folder, gateway_port=other.getsockname()[1])
        wanted.prepare()

        with pytest.raises(PortTaken):
            wanted.choose_ports()


def test_status_tells_programs_every_process_with_its_number_address_and_state(home: Home) -> None:
    home.prepare()
    Home(home.folder, gateway_port=0).choose_ports()
    Status([Entry("gateway", "http://127.0.0.1:1", State.RUNNING, pid=2**22 + 1, started_at=1.0, restarts=2)]).write(home)

    result = CliRunner().invoke(app, ["status", "--json"])

    assert result.exit_code == 1
    told = json.loads(result.output)
    assert set(told) == {"home", "gateway", "supervisor", "running", "processes"}
    assert told["processes"] == [
        {"name": "gateway", "pid": None, "address": "http://127.0.0.1:1", "state": "stopped", "restarts": 2}
        | {"started_at": "1970-01-01T00:00:01+00:00", "note": ""}
    ]


def test_secrets_are_made_once_and_for_their_owner_only(home: Home) -> None:
    home.prepare()

    assert home.secrets() == home.secrets()

    assert stat.S_IMODE((home.folder / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_down_without_an_installation_says_so(home: Home) -> None:
    result = CliRunner().invoke(app, ["down"], env={"COLUMNS": "200"})

    assert result.exit_code == 1
    assert "nothing was ever started" in result.output


def test_reset_leaves_a_folder_alone_that_is_not_its_own(home: Home) -> None:
    home.folder.mkdir()
    (home.folder / "thesis.txt").write_text("years of work")

    result = CliRunner().invoke(app, ["reset", "--yes"])

    assert result.exit_code == 1
    assert (home.folder / "thesis.txt").exists()


def test_a_binary_that_was_not_locked_is_refused() -> None:
    with pytest.raises(ArtifactMissing, match="supported"):
        install("postgresql-plan9-mips", lambda _files, _folder: None)


@pytest.mark.parametrize("machine", ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"])
def test_every_supported_machine_has_a_locked_postgresql(machine: str) -> None:
    (artifact,) = locked(f"postgresql-{machine}")

    assert len(artifact.sha256) == 64


@pytest.mark.parametrize("port", ["eighty", "-1", "65536"])
def test_a_port_that_there_is_not_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PARTNERDECK_PORT", port)

    result = CliRunner().invoke(app, ["up"])

    assert result.exit_code == 1
    assert "PARTNERDECK_PORT must be a number from 0" in result.output
    assert not home.folder.exists()


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_folder_that_cannot_be_used_is_named_on_one_line_with_what_to_do(home: Home, command: str) -> None:
    home.folder.write_text("a file, and no folder")

    result = CliRunner().invoke(app, [command], env={"COLUMNS": "40"})

    assert result.exit_code == 1
    assert f"{home.folder} cannot be used (File exists). Make it a folder of yours, or choose another: PARTNERDECK_HOME=" in result.output


def test_whoever_interrupts_the_start_is_told_how_to_go_on(home: Home) -> None:
    home.folder.mkdir()

    def interrupt() -> None:
        while not (home.folder / "done").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # who is started in the background is started deaf to it
    try:
        with (home.folder / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            threading.Thread(target=interrupt).start()

            result = CliRunner().invoke(app, ["up"])
    finally:
        signal.signal(signal.SIGINT, before)

    assert result.exit_code == 130
    assert "`make up` goes on from here; `make down` stops what was started" in result.output
