"""The test stack in containers, for those who have a container engine on this machine.

Kept by a process of its own, as the other test stack is: ``python -m chassis_testing.containers NAME FOLDER OWNER``.
"""

import asyncio
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

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
    server = "postgres -c fsync=off -c full_page_writes=off -c max_connections=300"
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
def _container(image: str, inside: int, outside: int, environment: dict[str, str], server: str | None) -> Iterator[Callable[[], bool]]:
    """A container whose port ``inside`` is ``outside`` here, for this machine alone; gone on leaving. Answers whether it still runs."""
    with ExitStack() as made:
        try:
            container = DockerContainer(image, command=server, env=environment)
            made.callback(container.stop)
            ports: dict[str, Any] = container.ports
            ports[str(inside)] = ("127.0.0.1", outside)
            container.start()
        except (DockerException, RequestException, ContainerStartException, TimeoutError) as error:
            raise StackFailed(f"PARTNERDECK_TEST_STACK=containers needs a running container engine: {error}") from error
        yield partial(_runs, container)


def _runs(container: DockerContainer) -> bool:
    wrapped = container.get_wrapped_container()
    try:
        wrapped.reload()
    except NotFound:
        return False
    return str(wrapped.status) == "running"


if __name__ == "__main__":
    try:
        keep_for_owner(PARTS, sys.argv[1:])
    except (StackFailed, postgres.PostgresFailed, kafka.KafkaFailed) as failed:
        sys.exit(str(failed))
