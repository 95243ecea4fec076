"""The list shows every customer that the reader may see, finds by a fragment, and sorts by name or type (CUS-29, CUS-31, CUS-32)."""

from typing import Any

import asyncpg
import msgspec
import pytest
from sqlalchemy import select, text

from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings, Transaction, WorkerDatabase
from chassis.http.lists import Wanted
from chassis.principal import Principal
from chassis_testing.database import as_stranger, reading
from customers import customer_facets, customer_list
from customers.customer_list import ContactView, CustomerListView
from customers.errors import CustomerNotFound
from customers.rules.selecting import Filters
from customers.rules.time_zones import observes_daylight_saving
from customers.tables.customers import Customer
from customers_testing.builders import a_contact, a_customer, a_partner, a_subscription, an_application, for_company, the_known_world

MANY = text("""insert into customers select (jsonb_populate_record(c, jsonb_build_object(
                    'id', gen_random_uuid(), 'company_key', n, 'name_key', md5(n::text),
                    'contact', jsonb_build_object('email', n || '@many.example')))).*
                 from customers c, generate_series(1, 3000) n where c.partner_id = :me and c.id = :pattern""")


async def some(tx: Transaction) -> None:
    await a_partner(tx)
    for name, domain, management_type in (
        ("Zebra Bau", "zebra.example", "partner_managed"),
        ("Ärztehaus 100%", "aerzte.example", "customer_managed"),
        ("Müller & Söhne GmbH", "mueller.example", "co_managed"),
    ):
        command = for_company(name, domain, management_type=management_type)
        await a_customer(tx, **{one: getattr(command, one) for one in ("company", "contact", "domain", "management_type")})


def name(line: CustomerListView) -> str:
    return str(msgspec.json.decode(line.company)["name"])


async def names(tx: Transaction, *, sort: str | None = None, **filters: Any) -> list[str]:
    page = await customer_list.page(await reading(tx), Wanted(sort=sort), Filters(**filters))
    return [name(line) for line in page.items]


async def test_all_customers_are_listed_by_name(tx: Transaction) -> None:
    """CUS-29, CUS-32: letters with marks stand where they belong."""
    await some(tx)

    assert await names(tx) == ["Ärztehaus 100%", "Müller & Söhne GmbH", "Zebra Bau"]
    assert await names(tx, sort="-name") == ["Zebra Bau", "Müller & Söhne GmbH", "Ärztehaus 100%"]


async def test_customers_are_sorted_by_type(tx: Transaction) -> None:
    """CUS-32."""
    await some(tx)

    assert await names(tx, sort="type") == ["Müller & Söhne GmbH", "Ärztehaus 100%", "Zebra Bau"]
    assert await names(tx, sort="-type") == ["Zebra Bau", "Ärztehaus 100%", "Müller & Söhne GmbH"]


@pytest.mark.parametrize(
    ("fragment", "found"),
    [
        ("muller", ["Müller & Söhne GmbH"]),
        ("ÜLLER", ["Müller & Söhne GmbH"]),
        ("haus", ["Ärztehaus 100%"]),
        ("0%", ["Ärztehaus 100%"]),
        ("e%u", []),
        ("_", []),
        ("nobody", []),
    ],
)
async def test_a_fragment_of_the_name_finds_it(tx: Transaction, fragment: str, found: list[str]) -> None:
    """CUS-31: without case and marks; what a pattern would mean something by means itself."""
    await some(tx)

    assert await names(tx, q=fragment) == found


async def test_filters_are_combined(tx: Transaction) -> None:
    await some(tx)

    assert await names(tx, management_type=["co_managed"], q="m") == ["Müller & Söhne GmbH"]
    assert await names(tx, management_type=["co_managed"], q="zebra") == []
    assert await names(tx, status=["pending_review"]) == ["Ärztehaus 100%"]


MUELLER, ZEBRA, AERZTE = "Müller & Söhne GmbH", "Zebra Bau", "Ärztehaus 100%"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [AERZTE, MUELLER, ZEBRA]),
        ({"management_type": ["co_managed", "partner_managed"]}, [MUELLER, ZEBRA]),
        ({"account_type": ["licensing_platform"]}, [ZEBRA]),
        ({"country": ["AT", "CH"]}, [MUELLER]),
        ({"tags": ["north", "gold"]}, [MUELLER, ZEBRA]),
        ({"all_tags": ["north", "gold"]}, [ZEBRA]),
        ({"offers": ["endpoint-preview"]}, [ZEBRA]),
        ({"kinds": ["paid"]}, [AERZTE]),
        ({"kinds": ["trial"], "offers": ["endpoint-cloud"]}, []),
        ({"managed_here": True}, [AERZTE, ZEBRA]),
        ({"managed_here": True, "tags": ["north"], "country": ["DE"], "q": "z"}, [ZEBRA]),
        ({"status": ["active", "pending_review"], "tags": ["gold"]}, [ZEBRA]),
        ({"q": "  "}, [AERZTE, MUELLER, ZEBRA]),
    ],
)
async def test_each_filter_means_all_by_default_and_they_combine(tx: Transaction, filters: dict[str, Any], found: list[str]) -> None:
    """CUS-33, CUS-37, MKT-01: management and product types, kinds of accounts, tags, only what is managed here."""
    await some(tx)
    of = {customer.name: customer for customer in await tx.session.scalars(select(Customer))}
    of[ZEBRA].tags, of[MUELLER].tags = ["gold", "north"], ["north"]
    of[ZEBRA].account_type, of[MUELLER].country = "licensing_platform", "AT"
    await a_subscription(tx, of[ZEBRA], offer="endpoint-preview")
    await a_subscription(tx, of[AERZTE], status="active")
    await a_subscription(tx, of[MUELLER], status="expired")

    assert await names(tx, **filters) == found


async def test_facets_count_what_is_left(tx: Transaction) -> None:
    """CUS-33."""
    await some(tx)
    zebra = (await tx.session.scalars(select(Customer).where(Customer.name == ZEBRA))).one()
    zebra.tags, zebra.account_type = ["gold", "north"], "licensing_platform"
    for one in await tx.session.scalars(select(Customer)):
        await a_subscription(tx, one)
    await a_subscription(tx, zebra, status="active")
    read = await reading(tx)

    whole, gold = await customer_facets.facets(read), await customer_facets.facets(read, Filters(tags=["gold"]))

    assert (whole.total, whole.management_type) == (3, {"partner_managed": 1, "customer_managed": 1, "co_managed": 1})
    assert whole.status == {"active": 2, "pending_review": 1}
    assert whole.account_type == {"licensing_portal": 2, "licensing_platform": 1}
    assert (whole.country, whole.tags, whole.offers) == ({"DE": 3}, {"gold": 1, "north": 1}, {"endpoint-cloud": 3})
    assert (gold.total, gold.management_type, gold.offers) == (1, {"partner_managed": 1}, {"endpoint-cloud": 1})
    async with as_stranger(tx) as stranger:
        assert (await customer_facets.facets(await reading(stranger))).total == 0


@pytest.mark.parametrize("status", ["rejected", "deleted", "purged"])
async def test_who_is_no_customer_any_more_is_listed_only_when_asked_for(tx: Transaction, status: str) -> None:
    """CUS-29."""
    await some(tx)
    gone = (await tx.session.scalars(select(Customer).where(Customer.name == "Zebra Bau"))).one()
    gone.status = status

    assert await names(tx) == ["Ärztehaus 100%", "Müller & Söhne GmbH"]
    assert await names(tx, q="zebra") == []
    assert await names(tx, status=[status]) == ["Zebra Bau"]


@pytest.mark.parametrize(
    ("zone", "observes"),
    [
        ("Europe/Berlin", True),
        ("America/New_York", True),
        ("Australia/Sydney", True),
        ("Europe/Dublin", True),
        ("Asia/Kolkata", False),
        ("America/Phoenix", False),
        ("UTC", False),
    ],
)
async def test_a_contact_says_whether_its_zone_observes_daylight_saving(tx: Transaction, *, zone: str, observes: bool) -> None:
    """CUS-08: derived from the time zone, in lists as in one."""
    await a_partner(tx)
    customer = await a_customer(tx, contact=a_contact(time_zone=zone))
    read = await reading(tx)

    [line] = (await customer_list.page(read, Wanted(limit=1))).items
    one = await customer_list.one(read, customer.id)

    told = [msgspec.json.decode(one.contact, type=ContactView) for one in (line, one, customer_list.shown(customer))]
    assert [contact.observes_daylight_saving for contact in told] == [observes] * 3
    assert {contact.time_zone for contact in told} == {zone}


def test_the_year_decides_about_daylight_saving() -> None:
    """CUS-08: Turkey gave it up in 2016."""
    assert observes_daylight_saving("Europe/Istanbul", 2015)
    assert not observes_daylight_saving("Europe/Istanbul", 2026)


async def test_pages_follow_each_other_without_gap_or_overlap(tx: Transaction) -> None:
    await some(tx)
    read = await reading(tx)
    cursor, seen = None, list[str]()

    for _ in range(3):
        page = await customer_list.page(read, Wanted(limit=1, cursor=cursor))
        seen += [name(line) for line in page.items]
        cursor = page.next

    assert seen == ["Ärztehaus 100%", "Müller & Söhne GmbH", "Zebra Bau"]
    assert cursor is None


async def test_a_stranger_finds_nothing(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)

    async with as_stranger(tx) as stranger:
        assert await names(stranger) == []
        with pytest.raises(CustomerNotFound):
            await customer_list.one(await reading(stranger), customer.id)


async def test_one_is_shown_as_it_was_when_it_was_created(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx, tags=("vip", "vip", "nord"))

    found = await customer_list.one(await reading(tx), customer.id)

    assert found.tags == ["nord", "vip"]
    assert msgspec.json.decode(found.products) == [product.model_dump() for product in an_application().products]


async def test_the_search_uses_its_index(fresh_database: DatabaseSettings, api_database: ApiDatabase, principal: Principal) -> None:
    """Under row-level security a LIKE could not: the partner reads through the owner's view (CUS-31)."""
    worker = WorkerDatabase(fresh_database, SystemClock())
    async with worker.work() as work:
        await the_known_world(work)
    await worker.close()
    async with api_database.change(principal) as tx:
        await a_partner(tx)
        customer = await a_customer(tx)
        await tx.session.execute(MANY, {"pattern": customer.id, "me": tx.partner_id})
    await _settle(fresh_database)

    async with api_database.read(principal) as read:
        rows = await read.connection.fetch(
            "explain select id from customers_read where partner_id = $1 and name_key like '%a1b2%'", principal.partner_id
        )

    assert "customers_search" in "\n".join(row[0] for row in rows)


async def _settle(database: DatabaseSettings) -> None:
    owner = await asyncpg.connect(
        host=database.host, port=database.port, database=database.name, user=database.user("owner"), password=database.password("owner")
    )
    await owner.execute("vacuum analyze customers")
    await owner.close()
