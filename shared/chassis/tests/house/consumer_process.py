"""A consumer of houses and nothing else, that notes every effect: ``python -m house.consumer_process JSON``."""

import asyncio
import json
import signal
import sys
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.consumers import Consumer, Event, Step
from chassis.consumers.worker import ConsumerWorker
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from house.consuming import FOLLOWING
from house.records import HouseBuilt

_NOTE = text("insert into effects (subject, number) values (:subject, :number)")


async def note(tx: Transaction, event: Event[HouseBuilt]) -> None:
    await tx.session.execute(_NOTE, {"subject": event.envelope.subject, "number": int(event.record.name)})


async def main(told: dict[str, Any]) -> None:
    settings = DatabaseSettings(**told["database"], passwords={"worker": SecretStr(told["password"])})
    consumer = Consumer(group="houses", handlers=[FOLLOWING, Step(name="houses.note", record=HouseBuilt, handle=note)])
    worker = ConsumerWorker(
        consumer, WorkerDatabase(settings, SystemClock()), kafka=told["kafka"], prefix=told["prefix"], slot=told["slot"]
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
