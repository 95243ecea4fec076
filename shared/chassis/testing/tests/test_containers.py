"""``PARTNERDECK_TEST_STACK=containers`` gives the tests the same servers from a container engine.

No engine is needed: one that writes down what it is asked, and runs the real servers with what it was told, takes its
place. What only a real engine can show is that it pulls and starts the images.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiokafka
import pytest
from recording_engine import Engine, an_engine

from chassis_testing.stack import Stack
from chassis_testing.waiting import eventually
from onebox import postgres
from onebox.processes import Identity, stop_stranger

CONTAINERS = {"PARTNERDECK_TEST_STACK": "containers", "TESTCONTAINERS_RYUK_DISABLED": "true"}


@contextmanager
def a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> Iterator[Stack]:
    """A run's stack from this engine; its keepers are stopped on leaving."""
    for name, value in (CONTAINERS | {"DOCKER_HOST": engine}).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "stack"
    folder.mkdir()
    try:
        yield Stack(folder, os.getpid())
    finally:
        for file in folder.glob("*.keeper"):
            keeper = Identity.read(file)
            if keeper is not None:
                stop_stranger(keeper, patience=60)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Engine, str]]:
    with an_engine(tmp_path, "postgres:18") as running:
        yield running


async def test_postgres_is_a_container_that_only_this_machine_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: tuple[Engine, str]
) -> None:
    recorded, address = engine
    with a_stack(tmp_path, monkeypatch, address) as stack:
        server = stack.address("postgres")
        await (await postgres.connect(server)).close()
        [made] = recorded.containers.values()

        assert made.asked["Image"] == "postgres:18"
        assert made.published == ("5432/tcp", {"HostIp": "127.0.0.1", "HostPort": str(server.port)})
        assert "max_connections=300" in made.asked["Cmd"]
        assert recorded.pulled == recorded.removed == []

    assert recorded.removed == list(recorded.containers)


async def test_kafka_runs_with_the_settings_that_its_container_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: tuple[Engine, str]
) -> None:
    recorded, address = engine
    with a_stack(tmp_path, monkeypatch, address) as stack:
        broker = stack.address("kafka")
        client = aiokafka.AIOKafkaClient(bootstrap_servers=broker)
        await client.bootstrap()
        advertised = {(one.host, one.port) for one in client.cluster.brokers()}
        await client.close()
        [made] = recorded.containers.values()

        host, _, port = broker.partition(":")
        assert recorded.pulled == [made.asked["Image"]] == ["apache/kafka:4.3.1"]
        assert made.published == (f"{port}/tcp", {"HostIp": "127.0.0.1", "HostPort": port})
        assert advertised == {(host, int(port))}

    assert recorded.removed == list(recorded.containers)


async def test_a_container_that_died_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: tuple[Engine, str]) -> None:
    recorded, address = engine
    with a_stack(tmp_path, monkeypatch, address) as stack:
        stack.address("postgres")
        [made] = recorded.containers.values()
        assert made.process is not None
        made.process.kill()

        async def withdrawn() -> bool:
            return not (stack.folder / "postgres.json").exists() and bool(recorded.removed)

        await eventually(withdrawn, within=30)


def test_without_an_engine_the_run_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        a_stack(tmp_path, monkeypatch, f"unix://{tmp_path}/no.sock") as stack,
        pytest.raises(pytest.fail.Exception, match="needs a running container engine"),
    ):
        stack.address("postgres")
