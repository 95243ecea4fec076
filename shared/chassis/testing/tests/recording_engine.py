"""A container engine that writes down what it is asked, and runs the real server of an image as a child process.

It speaks as much of the Docker Engine API as one container's life takes. What it does with a container's environment is
what the images document: ``POSTGRES_PASSWORD`` is the superuser's, and ``KAFKA_NODE_ID`` is the setting ``node.id``.
"""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qs, urlsplit

from onebox import kafka, postgres
from onebox.ports import free_ports
from onebox.processes import spawn, stop


@dataclass
class Made:
    """One container."""

    asked: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.asked["Env"])

    @property
    def published(self) -> tuple[str, dict[str, str]]:
        """Its one published port, and where on this machine."""
        [(inside, [where])] = self.asked["HostConfig"]["PortBindings"].items()
        return inside, where

    @property
    def status(self) -> str:
        if self.process is None:
            return "created"
        return "running" if self.process.poll() is None else "exited"


@dataclass
class Engine:
    folder: Path
    present: set[str] = field(default_factory=set)
    """Images that need not be pulled."""
    pulled: list[str] = field(default_factory=list)
    containers: dict[str, Made] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def create(self, asked: dict[str, Any]) -> str:
        name = f"{len(self.containers):064x}"
        self.containers[name] = Made(asked)
        return name

    def start(self, name: str) -> None:
        made = self.containers[name]
        run = {"postgres": self._postgres, "apache/kafka": self._kafka}[made.asked["Image"].partition(":")[0]]
        made.process = run(made)

    def remove(self, name: str) -> None:
        process = self.containers[name].process
        if process is not None and process.poll() is None:
            stop(process, signal.SIGINT)
        self.removed.append(name)

    def _postgres(self, made: Made) -> subprocess.Popen[bytes]:
        _, where = made.published
        installation, data = postgres.fetch(), self.folder / "postgres"
        postgres.initialise(installation, data, made.environment["POSTGRES_PASSWORD"])
        return spawn(postgres.command(installation, data, int(where["HostPort"]), lasting=False), self.folder / "postgres.log")

    def _kafka(self, made: Made) -> subprocess.Popen[bytes]:
        """With the settings of the environment alone, but for the folder, and for ports that containers have to themselves."""
        controller = free_ports(1)[0]
        told = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in made.environment.items()}
        told = {name: value.replace("//:", "//127.0.0.1:").replace(":9093", f":{controller}") for name, value in told.items()}
        data, properties = self.folder / "kafka", self.folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in (told | {"log.dirs": str(data)}).items()))
        java = kafka._java(kafka.fetch())
        cluster = ["--cluster-id", "5L6g3nShT-eMCtK--X86sw"]
        subprocess.run(  # noqa: S603 - our own installation
            [*java, "kafka.tools.StorageTool", "format", *cluster, "--config", str(properties)], check=True, capture_output=True
        )
        return spawn([*java, "kafka.Kafka", str(properties)], self.folder / "kafka.log")


@contextmanager
def an_engine(folder: Path, *present: str) -> Iterator[tuple[Engine, str]]:
    """The engine and its address, as ``DOCKER_HOST`` has it."""
    engine = Engine(folder, set(present))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"engine": engine}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield engine, f"tcp://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for name in engine.containers.keys() - set(engine.removed):
            engine.remove(name)


class _Handler(BaseHTTPRequestHandler):
    engine: Engine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self._path()
        if path == "/version":
            self._say(200, {"ApiVersion": "1.47", "MinAPIVersion": "1.24"})
        elif found := re.fullmatch(r"/images/(.+)/json", path):
            known = found[1] in self.engine.present
            self._say(200 if known else 404, {"Id": "sha256:1", "RepoTags": [found[1]]} if known else {"message": "no such image"})
        elif (found := re.fullmatch(r"/containers/([0-9a-f]+)/json", path)) and found[1] not in self.engine.removed:
            self._say(200, {"Id": found[1], "State": {"Status": self.engine.containers[found[1]].status}, "Config": {}})
        else:
            self._say(404, {"message": f"nothing at {path}"})

    def do_POST(self) -> None:
        path, body = self._path(), self.rfile.read(int(self.headers.get("content-length", 0)))
        if path == "/images/create":
            wanted = parse_qs(urlsplit(self.path).query)
            image = f"{wanted['fromImage'][0]}:{wanted['tag'][0]}"
            self.engine.pulled.append(image)
            self.engine.present.add(image)
            self._say(200, {"status": "pulled"})
        elif path == "/containers/create":
            self._say(201, {"Id": self.engine.create(json.loads(body)), "Warnings": []})
        elif found := re.fullmatch(r"/containers/([0-9a-f]+)/start", path):
            self.engine.start(found[1])
            self._say(204)
        else:
            self._say(404, {"message": f"nothing at {path}"})

    def do_DELETE(self) -> None:
        self.engine.remove(self._path().rpartition("/")[2])
        self._say(204)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is written down."""

    def _path(self) -> str:
        return re.sub(r"^/v[0-9.]+", "", self.path.partition("?")[0])

    def _say(self, status: int, body: Any = None) -> None:
        said = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
