"""Partners, users, roles and customers can be told anew as they are, one version higher: a topic that was lost is filled again."""

import json

from chassis.database import WorkerDatabase
from chassis.ids import new_id
from chassis.retelling import retell
from customers.rules.telling import RETELLINGS
from customers_testing.builders import a_customer, a_partner, the_known_world


async def test_every_state_is_told_anew_as_it_is(worker_database: WorkerDatabase) -> None:
    async with worker_database.work() as work:
        await the_known_world(work)
        async with work.item(new_id()) as tx:
            await a_partner(tx, email="grace@hafen.example")
            customer = await a_customer(tx)

    told = {one.aggregate: await retell(worker_database, one) for one in RETELLINGS}

    assert (told["partner"], told["customer"]) == (1, 1)
    assert told["user"] > 0 < told["role"]
    async with worker_database.direct() as connection:
        rows = await connection.fetch("select topic, entity, headers, payload from outbox order by id")
    assert {row["topic"] for row in rows} == {"partner.changed", "user.changed", "role.changed", "customer.changed"}
    assert len(rows) == sum(told.values())
    (about_customer,) = [row for row in rows if row["topic"] == "customer.changed"]
    said = json.loads(about_customer["payload"])
    assert (about_customer["entity"], said["facts"], said["state"]["id"]) == (customer.id, [], str(customer.id))
    assert ["ce_aggregateversion", "2"] in json.loads(about_customer["headers"])
