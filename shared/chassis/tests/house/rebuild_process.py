"""Rebuilds houses and nothing else, in small batches: ``python -m house.rebuild_process JSON``. To be killed in the middle."""

import asyncio
import json
import sys
from typing import Any

from pydantic import SecretStr

from chassis.consumers import Consumer
from chassis.database import DatabaseSettings
from chassis.rebuilding import Rebuilding, filling
from house.consuming import FOLLOWING


async def main(told: dict[str, Any]) -> None:
    filling._BATCH = 100
    passwords = {login: SecretStr(password) for login, password in told["passwords"].items()}
    settings = DatabaseSettings(**told["database"], passwords=passwords)
    consumer = Consumer(group="houses", handlers=[FOLLOWING])
    await Rebuilding(settings, [consumer], kafka=told["kafka"], prefix=told["prefix"]).rebuild("houses")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
