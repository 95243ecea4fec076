"""A worker of painting jobs and nothing else: ``python -m house.job_process JSON``."""

import asyncio
import json
import signal
import sys
from typing import Any

from pydantic import SecretStr

from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.due import DueWorker
from chassis.jobs import running
from chassis.jobs.running import due_work
from house.painting import KINDS


async def main(told: dict[str, Any]) -> None:
    running.LONGEST_LAG = 3600.0  # nobody relays
    settings = DatabaseSettings(**told["database"], passwords={"worker": SecretStr(told["password"])})
    worker = DueWorker(due_work(KINDS), WorkerDatabase(settings, SystemClock()), SystemClock())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
