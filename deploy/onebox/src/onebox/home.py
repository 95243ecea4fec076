"""Home: the folder one installation keeps everything in, with its secrets and ports.

Only its owner may read it. Secrets are made once and stay, so data outlives a restart; ports stay as long as nobody else took them.
"""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from onebox.ports import free_ports, is_free
from onebox.postgres import LOGINS, PostgresAddress

GATEWAY_PORT = 8080
PORTS = ("postgres", "kafka", "kafka-controller", "mail", "customers", "licensing", "reporting", "notifications", "console", "gateway")


_PORTS_THERE_ARE = range(2**16)


class PortTaken(Exception):
    """Another program listens where the gateway is wanted."""


class HomeUnusable(Exception):
    """The folder can be neither made nor written to; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    superuser_password: str
    login_passwords: dict[str, str]
    operator_password: str
    signing_key: str
    """A private Ed25519 key as JWK in JSON."""
    link_key: str
    """32 random bytes, base64url."""
    sealing_keys: str
    """Likewise; one, or several with commas between them."""
    console_key: str
    """What the sample product console is known by."""


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path
    gateway_port: int = GATEWAY_PORT
    """0: any that is free."""
    lasting: bool = True
    """Whether data must outlive the machine's going down; tests do without."""

    @classmethod
    def chosen(cls) -> "Home":
        """As the environment says: ``PARTNERDECK_HOME``, else ``.onebox`` here; ``PARTNERDECK_PORT``, else 8080.

        Raises:
            ValueError: there is no such port.
        """
        folder = Path(os.environ.get("PARTNERDECK_HOME") or ".onebox").absolute()
        port = int(os.environ.get("PARTNERDECK_PORT") or GATEWAY_PORT)
        if port not in _PORTS_THERE_ARE:
            raise ValueError(port)
        return cls(folder, port)

    def prepare(self) -> None:
        """Make the folder and what stands in it from the first moment. Raises ``HomeUnusable``."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            for name in ("logs", "held", "done"):
                (self.folder / name).mkdir(exist_ok=True)
            (self.folder / "lock").touch()
        except OSError as error:
            remedy = "Make it a folder of yours, or choose another: PARTNERDECK_HOME=/a/folder make up"
            raise HomeUnusable(f"{self.folder} cannot be used ({error.strerror}). {remedy}") from error

    @property
    def supervisor_file(self) -> Path:
        return self.folder / "supervisor.json"

    @property
    def status_file(self) -> Path:
        return self.folder / "status.json"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def secrets(self) -> Secrets:
        """Made at the first call, read ever after; what an older home lacks is added."""
        file = self.folder / "secrets.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        if missing := {field.name for field in fields(Secrets)} - kept.keys():
            fresh = asdict(_fresh_secrets())
            kept |= {name: fresh[name] for name in missing}
            _write_private(file, kept)
        return Secrets(**kept)

    def ports(self) -> dict[str, int]:
        """As they were chosen by ``choose_ports``."""
        ports: dict[str, int] = json.loads((self.folder / "ports.json").read_text())
        return ports

    def choose_ports(self) -> dict[str, int]:
        """Keep what is free still and find the rest. Only while nothing of this home runs."""
        file = self.folder / "ports.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        if self.gateway_port:
            if not is_free(self.gateway_port):
                raise PortTaken(self.gateway_port)
            kept["gateway"] = self.gateway_port
        kept = {name: port for name, port in kept.items() if is_free(port)}
        missing = [name for name in PORTS if name not in kept]
        ports = kept | dict(zip(missing, free_ports(len(missing)), strict=True))
        _write_private(file, ports)
        return ports

    def postgres(self) -> PostgresAddress:
        return PostgresAddress("127.0.0.1", self.ports()["postgres"], "postgres", self.secrets().superuser_password)

    def kafka(self) -> str:
        return f"127.0.0.1:{self.ports()['kafka']}"

    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.ports()['gateway']}"


def _fresh_secrets() -> Secrets:
    return Secrets(
        superuser_password=secrets.token_urlsafe(24),
        login_passwords={login: secrets.token_urlsafe(24) for login in LOGINS},
        operator_password=secrets.token_urlsafe(15),
        signing_key=json.dumps(OKPKey.generate_key("Ed25519", private=True, auto_kid=True).as_dict(private=True)),
        link_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        sealing_keys=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        console_key=secrets.token_urlsafe(32),
    )


def _write_private(file: Path, content: Any) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(content, indent=2))
    partial.rename(file)
