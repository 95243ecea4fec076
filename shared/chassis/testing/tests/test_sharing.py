"""Tests that share a suite of processes run in one worker, whatever the runner makes of marks."""

import subprocess
import sys
from pathlib import Path

import pytest

from chassis_testing.sharing import TOGETHER

ROOT = Path(__file__).parents[4]
SHARING = "def test_one(): ...\ndef test_two(): ...\ndef test_three(): ...\n"


@pytest.mark.parametrize("place", TOGETHER)
def test_what_goes_together_is_there(place: str) -> None:
    assert (ROOT / place).exists()


def test_a_group_is_one_workers(tmp_path: Path) -> None:
    for folder in ("tests/journeys", "tests/authorisation", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"test_{Path(folder).name}.py").write_text(SHARING)
    command = [sys.executable, "-m", "pytest", "-n", "3", "-v", "-p", "chassis_testing.sharing", "--rootdir", str(tmp_path), str(tmp_path)]

    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120).stdout  # noqa: S603 (our own command)

    ran = [line.split() for line in said.splitlines() if line.startswith("[gw")]
    assert len(ran) == 9
    assert len({worker for worker, *_, test in ran if test.startswith("tests/")}) == 1
