"""Locking: writes ``artifacts.lock.toml`` anew, by resolving what is wanted and hashing what came.

Run as ``python -m onebox.locking`` when a version here is raised; review the difference before committing it.
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from onebox.artifacts import LOCK

POSTGRESQL = "io.zonky.test.postgres:embedded-postgres-binaries-{machine}:18.6.0"
MACHINES = {"linux-amd64": "linux-amd64", "linux-arm64": "linux-arm64v8", "darwin-amd64": "darwin-amd64", "darwin-arm64": "darwin-arm64v8"}
KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
KAFKA_LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"  # of the version of log4j that Kafka brings


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        context = MavenContext(repo_cache=Path(work), timeout=60)
        bundles = {f"postgresql-{name}": [POSTGRESQL.format(machine=machine)] for name, machine in MACHINES.items()}
        bundles["kafka"] = [*_with_dependencies(context, KAFKA), KAFKA_LOGGING]
        text = [
            "# Written by `python -m onebox.locking`.\n",
            *(_entry(context, bundle, coordinate) for bundle, coordinates in bundles.items() for coordinate in coordinates),
        ]
    LOCK.write_text("\n".join(text))


def _with_dependencies(context: MavenContext, coordinate: str) -> list[str]:
    _, nodes = context.resolver.get_dependency_list([context.create_dependency(coordinate)])
    return sorted({coordinate, *(f"{node.dep.groupId}:{node.dep.artifactId}:{node.dep.version}" for node in nodes)})


def _entry(context: MavenContext, bundle: str, coordinate: str) -> str:
    content = Path(context.create_dependency(coordinate).artifact.resolve()).read_bytes()
    return f'[[{bundle}]]\ncoordinate = "{coordinate}"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'


if __name__ == "__main__":
    main()
