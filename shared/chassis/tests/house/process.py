"""The tests' own service as a whole: ``python -m house.process`` serves it, as ``python -m licensing serve`` does licensing.

What it does takes as long as it is told: names of houses that end in ``slow`` take a while, inside the transaction.
"""

from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic_settings import SettingsConfigDict
from sqlalchemy import text

from chassis.consumers import Consumer, Event, Step
from chassis.database import Transaction
from chassis.due import Due, DueItem
from chassis.http.calls import rails_of
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.verbs import verbs
from house import houses
from house.records import HouseOrdered

MIGRATIONS: Final = Path(__file__).parent / "migrations"
SLOW: Final = text("select pg_sleep(1.5)")
router = APIRouter(prefix="/v1/houses", tags=["houses"])


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="HOUSE_")


@router.post("/{name}", status_code=201)
async def build(name: str, partner_id: UUID, request: Request) -> Response:
    principal = Principal(kind="partner", user_id=new_id(), partner_id=partner_id, gen=1)
    async with rails_of(request).database.change(principal) as tx:
        await take_a_while(tx, name)
    return Response(status_code=201)


async def build_ordered(tx: Transaction, event: Event[HouseOrdered]) -> None:
    await take_a_while(tx, event.record.name)


async def when_due(tx: Transaction, item: DueItem) -> None:
    await take_a_while(tx, item.slot)


async def take_a_while(tx: Transaction, name: str) -> None:
    await houses.build(tx, name)
    if name.endswith("slow"):
        await tx.session.execute(SLOW)


def service(settings: ServiceSettings) -> Service:
    return Service(
        name="licensing",
        settings=settings,
        migrations=MIGRATIONS,
        routers=[router],
        consumers=[Consumer(group="houses", handlers=[Step(name="houses.build", record=HouseOrdered, handle=build_ordered)])],
        due=[Due("house.build", when_due)],
    )


app = verbs(Settings, service)

if __name__ == "__main__":
    app()
