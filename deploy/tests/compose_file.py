"""docker-compose.yml as the tests read it: with everything merged, and its folders as they are on this machine."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
WHOLE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
OURS = "partnerdeck:local"
_CHOICE = re.compile(r"\$\{\w+:-([^}]*)\}")
SERVICES = ("customers", "licensing", "reporting", "notifications")


@dataclass(frozen=True)
class Mount:
    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class Container:
    name: str
    said: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        environment: dict[str, str] = self.said.get("environment", {})
        return environment

    @property
    def mounts(self) -> list[Mount]:
        parts = [volume.split(":") for volume in self.said.get("volumes", [])]
        return [Mount(source, target, mode == ["ro"]) for source, target, *mode in parts]

    @property
    def needs(self) -> dict[str, str]:
        return {name: how["condition"] for name, how in self.said.get("depends_on", {}).items()}

    def found(self, text: str, secrets: Path) -> str:
        """A path inside the container as it is here, when ``secrets`` holds the volumes of that name; any other text as it is."""
        for mount in self.mounts:
            if text == mount.target or text.startswith(f"{mount.target}/"):
                here = secrets / mount.source.removeprefix("secrets-") if mount.source.startswith("secrets-") else ROOT / mount.source
                return f"{here}{text.removeprefix(mount.target)}"
        return text

    def told(self, secrets: Path) -> dict[str, str]:
        """Its environment, with paths as they are here, and what nobody has chosen as it is by default."""
        return {name: self.found(_CHOICE.sub(r"\1", value), secrets) for name, value in self.environment.items()}

    def command(self, secrets: Path) -> list[str]:
        return [self.found(word, secrets) for word in self.said["command"]]


CONTAINERS = {name: Container(name, said) for name, said in WHOLE["services"].items()}


def ours() -> Iterator[Container]:
    """The containers of our own image."""
    return (container for container in CONTAINERS.values() if container.said["image"] == OURS)
