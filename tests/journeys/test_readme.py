"""What the README says to type does what the README says."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from journeys.world import World

pytestmark = pytest.mark.xdist_group("suite")

README = Path(__file__).parents[2] / "README.md"


async def test_the_main_job_typed_by_hand(world: World) -> None:
    by_hand = README.read_text().split("## The main job by hand")[1].split("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", by_hand, flags=re.DOTALL))
    port = world.suite.gateway.rpartition(":")[2]

    bash = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PARTNERDECK_PORT": port},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complained = await bash.communicate()

    assert bash.returncode == 0, complained.decode()
    said = printed.decode()
    for expected in ("nora@northwind-msp.com", "Quince Quality", "112.50", "\nactive\n", "\nnot_a_trial\n", '"entitlements"'):
        assert expected in said, said
