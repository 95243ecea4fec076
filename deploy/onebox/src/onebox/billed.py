"""What the sample billing consumer has written down, asked of it as its owner would."""

import asyncio
import json
import sys
from typing import Any

from onebox import environment
from onebox.home import Home


async def lines(home: Home) -> list[dict[str, Any]]:
    """Every rated line it was told, once each."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "lines", "--json"),
        env=environment.billing(home),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    printed, _ = await process.communicate()
    told: list[dict[str, Any]] = json.loads(printed or b"[]")
    return told
