# ruff: noqa: INP001 - a script of its own, no package
"""The OpenAPI document of all services together, as the gateway gives it out at ``/openapi.json``, made from the code.

Nothing is started: every service is composed with the settings that a fresh installation would give it, and asked for
its document. It stands outside the packages because it is the one thing that sees all services at once.

    python docs/api/generate.py write|check
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from chassis.environment import load
from chassis.service import EVERYTHING, Process
from gateway.app import TITLE, VERSION
from gateway.merging import merged
from gateway.table import PATHS
from onebox import environment
from onebox.home import Home

FILE: Final = Path(__file__).with_name("openapi.json")


def rendered() -> str:
    """What belongs into the file."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), gateway_port=0)
        home.prepare()
        home.choose_ports()
        documents = {service: _document(service, home) for service in PATHS}
    whole = merged(documents, {"title": TITLE, "version": VERSION})
    return json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _document(service: str, home: Home) -> dict[str, Any]:
    os.environ.update(environment.serving(service, home))
    settings = load(importlib.import_module(f"{service}.settings").Settings)
    made = importlib.import_module(f"{service}.app").service(settings)
    return Process(made, EVERYTHING).app().openapi()


def main(verb: str) -> int:
    """0 when the file is what the code says, else 1."""
    said = rendered()
    if verb == "write":
        FILE.write_text(said, encoding="utf-8")
    if FILE.exists() and FILE.read_text(encoding="utf-8") == said:
        return 0
    sys.stderr.write("docs/api/openapi.json is not what the code says: run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
