"""What the README and the guides say to type does what they say."""

import asyncio
import os
import re
import sys
from pathlib import Path

from journeys.world import World

ROOT = Path(__file__).parents[2]


async def typed(world: World, text: str, **more: str) -> str:
    """What is printed when the shell blocks of a text are typed one after the other."""
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL))
    port = world.suite.gateway.rpartition(":")[2]
    bash = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PARTNERDECK_PORT": port, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complained = await bash.communicate()
    assert bash.returncode == 0, complained.decode()
    return printed.decode()


async def test_the_main_job_typed_by_hand(world: World) -> None:
    by_hand = (ROOT / "README.md").read_text().split("## The main job by hand")[1].split("\n## ")[0]

    said = await typed(world, by_hand)

    for expected in ("nora@northwind-msp.com", "Quince Quality", "112.50", "\nactive\n", "\nnot_a_trial\n", '"entitlements"'):
        assert expected in said, said


async def test_a_console_is_entered_as_the_guide_says(world: World) -> None:
    """GW-04, CUS-54 to CUS-56."""
    await (await world.partner()).post("/v1/customers", **world.company("Guided"))

    said = await typed(world, (ROOT / "docs/guides/consoles.md").read_text())

    assert "works here as administrator" in said
    assert said.rstrip().endswith("partner")


async def test_a_sandbox_is_moved_on_as_the_guide_says(world: World) -> None:
    """BEY-11."""
    email, password = world.suite.operator

    said = await typed(world, (ROOT / "docs/guides/sandboxes.md").read_text(), OPERATOR_EMAIL=email, OPERATOR_PASSWORD=password)

    assert '"waiting_for"' in said
