"""What a partner with many customers asks for every day is found by an index, never by reading the whole table.

Looked for in the plans and not in times, for the partner's own role and views, and for both
kinds of plan: made for the values at hand, and made once for any.
"""

from collections.abc import AsyncIterator
from typing import Any, get_args

import asyncpg
import pytest

from chassis.database import ApiDatabase, DatabaseSettings, Read, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from reporting import customer_overview
from reporting.rules import policies
from reporting.rules.attention_policy import AttentionPolicy
from reporting.rules.customer_filters import Filters
from reporting.rules.customer_orders import SORTS, SortBy

CUSTOMERS = 20_000
_FILL = """
insert into customer_overview (partner_id, id, version, name, name_key, status, management_type, communications_mode,
    contact_name, contact_email, domain, city, country, tags, created_at, products, next_trial_end)
select case when n % 10 < 8 then $1::uuid else gen_random_uuid() end, gen_random_uuid(), 1, k, k, 'active',
    (array['partner_managed', 'customer_managed', 'co_managed'])[1 + n % 3], 'both',
    'Ada', 'ada@example.com', 'example.com', 'Hamburg', 'DE', '{}', now() - n * interval '1 minute',
    case when n % 500 = 0 then '[{"product_type": "rare", "product": "p", "kind": "paid"}]'
         else '[{"product_type": "common", "product": "q", "kind": "trial"}]' end::jsonb,
    now() + (100 + n) * interval '1 hour'
from generate_series(1, $2) n, lateral (select md5(n::text) || ' gmbh') as named(k)
"""


@pytest.fixture
async def read(fresh_database: DatabaseSettings, worker_database: WorkerDatabase, api_database: ApiDatabase) -> AsyncIterator[Read]:
    """A read of a partner that has most of many customers."""
    partner = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    async with worker_database.direct() as worker:
        await worker.execute(_FILL, partner.partner_id, CUSTOMERS)
    owner: asyncpg.Connection[Any] = await asyncpg.connect(
        host=fresh_database.host,
        port=fresh_database.port,
        database=fresh_database.name,
        user=fresh_database.user("owner"),
        password=fresh_database.password("owner"),
    )
    await owner.execute("vacuum analyze customer_overview")
    await owner.close()
    async with api_database.read(partner) as opened:
        yield opened


async def plans(read: Read, filters: Filters, sort: SortBy = "name", **after: Any) -> tuple[str, str]:
    """The page's plan for these values, and its plan for any values."""
    order = SORTS[sort]
    shape = customer_overview._Shape(sort=order, after=bool(after), given=filters.given)
    sql, names, constants = customer_overview._PAGE.compiled("partner", shape)
    policy = (await policies.read(read, AttentionPolicy)).policy
    values = {**constants, **filters.parameters(policy, read.now), **after, "limit": 51, "partner_id": read.partner_id}
    for_these = await read.connection.fetch(f"explain {sql}", *(values[name] for name in names))
    return "\n".join(row[0] for row in for_these), await generic_plan(read, sql, len(names))


async def generic_plan(read: Read, sql: str, parameters: int) -> str:
    await read.connection.execute(f"set local plan_cache_mode = force_generic_plan; prepare for_any as {sql}")
    plan = await read.connection.fetch(f"explain execute for_any({', '.join(['null'] * parameters)})")
    await read.connection.execute("deallocate for_any; set local plan_cache_mode = auto")
    return "\n".join(row[0] for row in plan)


async def test_every_order_of_the_list_is_an_index(read: Read) -> None:
    for sort in get_args(SortBy.__value__):
        for plan in await plans(read, Filters(), sort):
            assert "Seq Scan" not in plan
            assert "Sort" not in plan


async def test_a_later_page_begins_at_its_cursor(read: Read) -> None:
    cursors: dict[SortBy, tuple[Any, ...]] = {"name": ("7", new_id()), "-type": ("customer_managed", "7", new_id())}
    for sort, values in cursors.items():
        for plan in await plans(read, Filters(), sort, **{f"after_{number}": value for number, value in enumerate(values)}):
            assert "Sort" not in plan
            assert "name_key" in plan.partition("Index Cond")[2].partition("\n")[0]


async def test_a_fragment_of_a_name_is_found_by_trigrams(read: Read) -> None:
    assert "customer_overview_search" in (await plans(read, Filters(fragment="c4ca42")))[0]
    for plan in await plans(read, Filters(fragment="c4ca42")):
        assert "Seq Scan" not in plan


async def test_customers_of_a_rare_product_are_found_by_it(read: Read) -> None:
    for plan in await plans(read, Filters(product_types=["rare"])):
        assert "Seq Scan" not in plan
    assert "customer_overview_products" in (await plans(read, Filters(product_types=["rare"])))[0]


async def test_customers_who_need_attention_are_found_without_looking_at_the_others(read: Read) -> None:
    plan = (await plans(read, Filters(attention=True)))[0]

    assert "customer_overview_unsettled" in plan
    assert "customer_overview_trial_end" in plan


async def test_customers_whose_endpoints_require_an_update_are_found_by_their_number(read: Read) -> None:
    """CUS-33, CUS-34."""
    for plan in await plans(read, Filters(require_update=True), "-require_update"):
        assert "customer_overview_updates" in plan
        assert "agent_updates > " in plan.partition("Index Cond")[2].partition("\n")[0]
        assert "Sort" not in plan


async def test_one_customer_is_found_by_its_key(read: Read) -> None:
    sql, names, _ = customer_overview._ONE.compiled("partner", None)

    plan = await generic_plan(read, sql, len(names))

    assert "Seq Scan" not in plan
    assert "Index Scan" in plan
