"""A customer without access is absent: from the list, from search, from the totals, and by its id (CUS-85)."""

from typing import Any

import pytest
from sqlalchemy import Table, insert
from told_to_reporting import a_customer, a_subscription, event_of, take

from chassis.access import tables
from chassis.access.rights import CustomerNotFound, rights_of
from chassis.database import ApiDatabase, Read, WorkerDatabase
from chassis.database.worker import Work
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.customers.customers import CustomerState
from reporting import customer_overview, customer_totals
from reporting.rules.customer_filters import Filters

PARTNER = new_id()
OPEN, HIDDEN, TAGGED = (
    a_customer(PARTNER, name="Open GmbH"),
    a_customer(PARTNER, name="Hidden GmbH", status="pending_review"),
    a_customer(PARTNER, name="Tagged GmbH", tags=["secret"]),
)
ROLES: dict[str, dict[str, Any]] = {
    "all but one": {"default_level": "read", "customers": {str(HIDDEN.id): "none"}, "tags": {}},
    "not the tagged": {"default_level": "read", "customers": {}, "tags": {"secret": "none"}},
    "none": {"default_level": "none", "customers": {}, "tags": {}},
}


@pytest.fixture
async def databases(worker_database: WorkerDatabase, api_database: ApiDatabase) -> tuple[WorkerDatabase, ApiDatabase]:
    async with worker_database.work() as work:
        await take(work, [event_of(state) for state in (OPEN, HIDDEN, TAGGED, a_subscription(HIDDEN), a_subscription(TAGGED))])
        await put(work, tables.partners, id=PARTNER, ancestors=[], status="active", shut_out=False)
        for customer in (OPEN, HIDDEN, TAGGED):
            await put(work, tables.customers, id=customer.id, status="active", management_type="co_managed", tags=customer.tags)
    return worker_database, api_database


async def put(work: Work, table: Table, **row: Any) -> None:
    await work.session.execute(insert(table).values(partner_id=PARTNER, version=1, **row))


async def a_user(database: WorkerDatabase, *roles: str) -> Principal:
    user = Principal(kind="partner", user_id=new_id(), partner_id=PARTNER, gen=1)
    ids = [new_id() for _ in roles]
    async with database.work() as work:
        for role_id, name in zip(ids, roles, strict=True):
            await put(work, tables.roles, id=role_id, permissions=[], **ROLES[name])
        await put(work, tables.users, id=user.user_id, kind="partner", status="active", gen=1, role_ids=ids)
    return user


async def authorised(read: Read, user: Principal) -> Read:
    read.rights = await rights_of(read.connection.fetchrow, user)
    return read


@pytest.mark.parametrize(
    ("roles", "visible"),
    [
        (["all but one"], [OPEN, TAGGED]),
        (["not the tagged"], [HIDDEN, OPEN]),
        (["none"], []),
        (["none", "all but one"], [OPEN, TAGGED]),
        (["not the tagged", "all but one"], [HIDDEN, OPEN, TAGGED]),
    ],
)
async def test_a_customer_that_no_role_shows_is_absent_everywhere(
    databases: tuple[WorkerDatabase, ApiDatabase], roles: list[str], visible: list[CustomerState]
) -> None:
    """CUS-85: list, search, filters, totals and the single customer agree."""
    worker, api = databases
    user = await a_user(worker, *roles)
    names = [customer.company.name for customer in visible]

    async with api.read(user) as opened:
        read = await authorised(opened, user)
        page = await customer_overview.for_partner(read, Filters())
        found = await customer_overview.for_partner(read, Filters(fragment="gmbh", kind="trial"))
        totals = await customer_totals.for_partner(read)
        seen = [customer for customer in (OPEN, HIDDEN, TAGGED) if await exists(read, customer)]

    assert [row.name for row in page.items] == names
    assert [row.name for row in found.items] == [name for name in names if name != "Open GmbH"]
    assert totals.customers == len(visible)
    assert totals.subscriptions.trial == len([name for name in names if name != "Open GmbH"])
    assert totals.needs_attention == (HIDDEN in visible)
    assert {customer.id for customer in seen} == {customer.id for customer in visible}


async def exists(read: Read, customer: CustomerState) -> bool:
    try:
        await customer_overview.one(read, customer.id)
    except CustomerNotFound:
        return False
    return True


async def test_a_customer_that_another_partner_manages_now_is_that_partners_alone(databases: tuple[WorkerDatabase, ApiDatabase]) -> None:
    worker, api = databases
    other = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    moved = a_customer(other.partner_id, id=OPEN.id, name="Moved GmbH")
    async with worker.work() as work:
        await take(work, [event_of(moved, version=2)])

    async with api.read(Principal(kind="partner", user_id=new_id(), partner_id=PARTNER, gen=1)) as read:
        assert [row.name for row in (await customer_overview.for_partner(read, Filters())).items] == ["Hidden GmbH", "Tagged GmbH"]
    async with api.read(other) as read:
        assert [row.name for row in (await customer_overview.for_partner(read, Filters())).items] == ["Moved GmbH"]
