"""What is committed about the interfaces is what the code says; `make docs` writes it anew."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "docs/api/openapi.json"


@pytest.mark.parametrize("script", ["docs/api/generate.py", "docs/metrics/generate.py"])
def test_what_is_generated_is_what_the_code_says(script: str) -> None:
    """The OpenAPI document, and the table of metrics, whose labels have bounded values."""
    checked = subprocess.run(  # noqa: S603 (our own scripts)
        [sys.executable, script, "check"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert checked.returncode == 0, checked.stderr


def test_it_holds_nothing_of_the_machine_it_was_made_on() -> None:
    text = OPENAPI.read_text(encoding="utf-8")

    assert json.loads(text)["openapi"] == "3.1.0"
    assert "servers" not in json.loads(text)
    assert "127.0.0.1" not in text
    assert str(ROOT) not in text
