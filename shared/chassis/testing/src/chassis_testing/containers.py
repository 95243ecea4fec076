"""The test stack in containers, for those who have an engine and the package ``testcontainers``.

Kept by a process of its own, as the other test stack is: ``python -m chassis_testing.containers NAME FOLDER OWNER``.
"""

import asyncio
import importlib
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onebox import kafka, postgres
from onebox.ports import free_ports
from onebox.postgres import PostgresAddress
from onebox.stack import Part, Running, StackFailed, keep_for_owner

_POSTGRES = "postgres:18"
_KAFKA = "apache/kafka:4.3.1"


@contextmanager
def postgres_container(_folder: Path) -> Iterator[Running[PostgresAddress]]:
    port = free_ports(1)[0]
    address = PostgresAddress("127.0.0.1", port, "postgres", secrets.token_urlsafe(24))
    environment = {
        "POSTGRES_PASSWORD": address.password,
        "POSTGRES_INITDB_ARGS": "--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8",
    }
    server = "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
    with _container(_POSTGRES, 5432, port, environment, server) as alive:
        asyncio.run(postgres.ready(address, patience=60))
        yield Running(address, alive)


@contextmanager
def kafka_container(_folder: Path) -> Iterator[Running[str]]:
    port = free_ports(1)[0]
    settings = kafka.SETTINGS | {
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": "1@localhost:9093",
    }
    environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    with _container(_KAFKA, port, port, environment, None) as alive:
        address = f"127.0.0.1:{port}"
        asyncio.run(kafka.ready(address))
        yield Running(address, alive)


PARTS: dict[str, Part] = {"postgres": postgres_container, "kafka": kafka_container}


@contextmanager
def _container(image: str, inside: int, outside: int, environment: dict[str, str], server: str | None) -> Iterator[Any]:
    try:
        containers = importlib.import_module("testcontainers.core.container")
    except ImportError as error:
        raise StackFailed(
            "PARTNERDECK_TEST_STACK=containers needs the package testcontainers: install it, or leave the variable out"
        ) from error
    try:
        container = containers.DockerContainer(image, command=server).with_bind_ports(inside, outside)
        for name, value in environment.items():
            container = container.with_env(name, value)
        container.start()
    except Exception as error:  # the engine's client raises kinds of its own, which are not there without the package
        raise StackFailed(f"PARTNERDECK_TEST_STACK=containers needs a running container engine: {error}") from error
    try:
        yield lambda: container.get_wrapped_container().status != "exited"
    finally:
        container.stop()


if __name__ == "__main__":
    try:
        keep_for_owner(PARTS, sys.argv[1:])
    except StackFailed as failed:
        sys.exit(str(failed))
