"""Every read model of every service can be rebuilt from the topics (BEY-03): its projections say what they keep, and nothing holds it."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

import customers.consumers
import licensing.consumers
import notifications.consumers
import reporting.consumers
from chassis.consumers import Consumer, Projection
from chassis.rebuilding import Rebuilding, models
from chassis_testing.database import Databases
from contracts.records import State

CONSUMERS: dict[str, Sequence[Consumer]] = {
    "customers": customers.consumers.consumers(),
    "licensing": licensing.consumers.CONSUMERS,
    "reporting": reporting.consumers.consumers(),
    "notifications": notifications.consumers.consumers(),
}


@pytest.mark.parametrize("service", CONSUMERS)
def test_every_projection_of_states_says_which_tables_it_keeps_and_no_two_consumers_keep_one(service: str) -> None:
    projections = [handler for consumer in CONSUMERS[service] for handler in consumer.handlers if isinstance(handler, Projection)]
    tables = [table for model in models.read_models(CONSUMERS[service]) for table in model.tables]

    of_states = [projection for projection in projections if issubclass(projection.record, State)]
    assert [projection.name for projection in of_states if bool(projection.keeps) == projection.every] == []
    assert len(tables) == len(set(tables)) > 0


@pytest.mark.parametrize("service", CONSUMERS)
async def test_nothing_holds_on_to_a_read_model(made_databases: Databases, service: str) -> None:
    migrations = Path(str(import_module(service).__file__)).parent / "migrations"
    database = await made_databases.clone(await made_databases.template(service, migrations), service)

    listed = await Rebuilding(database, CONSUMERS[service], kafka="nobody:9").listed()

    assert [(model.name, why) for model, why in listed if why] == []
