# ruff: noqa: INP001 - run by its path, in a container
"""Passwords and keys of an installation in containers, made once: ``python fresh_secrets.py FOLDER``.

Each folder inside is a volume of its own, and a container sees only the folders it is given. What is there stays, so
data outlives a restart; what is missing is made. Removing the volumes is the only way to new ones.
"""

import base64
import json
import secrets
import sys
from pathlib import Path
from typing import Final

from joserfc.jwk import OKPKey

SERVICES: Final = ("customers", "licensing", "reporting", "notifications")


def make(folder: Path) -> None:
    """Everything that every container needs, each in the folder of whoever may read it."""
    link_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    _keep(folder / "postgres/superuser", secrets.token_urlsafe(24))
    _keep(folder / "owners/operator", secrets.token_urlsafe(15))
    _keep(folder / "billing/database", secrets.token_urlsafe(24))
    for service in SERVICES:
        _keep(folder / "owners" / service, secrets.token_urlsafe(24))
        _keep(folder / service / "worker", secrets.token_urlsafe(24))
        _keep(folder / service / "api", secrets.token_urlsafe(24))
    _keep(folder / "customers/signing_key", json.dumps(OKPKey.generate_key("Ed25519", private=True, auto_kid=True).as_dict(private=True)))
    _keep(folder / "customers/link_key", link_key)
    _keep(folder / "customers/sealing_keys", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    _keep(folder / "customers/console_key", secrets.token_urlsafe(32))
    _keep(folder / "console/console_key", (folder / "customers/console_key").read_text(encoding="utf-8"))
    _keep(folder / "notifications/link_key", (folder / "customers/link_key").read_text(encoding="utf-8"))


def _keep(file: Path, fresh: str) -> None:
    """Write the secret unless one is there; whole or not at all. Whoever has the volume may read it, nobody may change it."""
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True, parents=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.write_text(fresh, encoding="utf-8")
    partial.chmod(0o444)
    partial.rename(file)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
