"""Every filter is off until it is set, and any of them may be combined (CUS-33)."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from told_to_reporting import NOW, a_customer, a_subscription, tell

from chassis.database import Transaction
from chassis_testing.database import reading
from contracts.customers.customers import CustomerState
from contracts.licensing.subscriptions import SubscriptionState
from reporting import customer_overview
from reporting.rules.customer_filters import Filters

TYPES = {"endpoint": "endpoint_protection", "edr": "endpoint_protection", "mail": "email_security"}
MANAGEMENT_TYPES = ["partner_managed", "customer_managed", "co_managed"]
STATUSES = ["draft", "pending_review", "active", "disabled", "deleting", "deleted", "purged", "rejected"]
LIVE = {"trial", "active", "suspended", "cancelling"}
SORTS = ["name", "type", "created_at", "trial_ends_at"]

filters = st.builds(
    Filters,
    fragment=st.none() | st.sampled_from(["a", "an", "ab", "%", "zz"]),
    management_types=st.lists(st.sampled_from(MANAGEMENT_TYPES), max_size=2),
    product_types=st.lists(st.sampled_from([*TYPES.values(), "backup"]), max_size=2),
    product=st.none() | st.sampled_from([*TYPES, "backup"]),
    kind=st.none() | st.sampled_from(["trial", "paid"]),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=4),
    attention=st.none() | st.booleans(),
)

type Person = tuple[CustomerState, list[SubscriptionState]]


class Population:
    def __init__(self, people: list[Person]) -> None:
        self.people = people


def a_population(partner_id: UUID) -> Population:
    dice = random.Random(33)  # noqa: S311 (the same customers in every run)
    people: list[Person] = []
    for _ in range(80):
        customer = a_customer(
            partner_id,
            name="".join(dice.choice("abn% ") for _ in range(6)) + "x",
            management_type=dice.choice(MANAGEMENT_TYPES),
            status=dice.choice([*STATUSES, "active", "active", "active"]),
            created_at=NOW - timedelta(days=dice.randint(0, 5)),
        )
        owned = []
        for _ in range(dice.choice([0, 0, 1, 1, 2, 3])):
            product = dice.choice(list(TYPES))
            kind = dice.choice(["trial", "paid"])
            over = {"seats_bought": dice.choice([0, 5, 50]), "seats_used": dice.choice([0, 5])}
            status = dice.choice(
                ["trial", "trial", "expired", "paused"] if kind == "trial" else ["active", "suspended", "cancelling", "expired"]
            )
            ends_in = timedelta(days=dice.choice([-1, 3, 7, 8, 30]))
            owned.append(
                a_subscription(customer, kind=kind, product=product, product_type=TYPES[product], status=status, ends_in=ends_in, **over)
            )
        people.append((customer, owned))
    return Population(people)


def wanted(customer: CustomerState, owned: list[SubscriptionState], asked: Filters) -> bool:
    """The filters, said again in plain words."""
    live = [one for one in owned if one.status in LIVE]
    product_asked = asked.product_types or asked.product or asked.kind
    return (
        (asked.fragment is None or asked.fragment in key(customer))
        and (not asked.management_types or customer.management_type in asked.management_types)
        and (customer.status in asked.statuses if asked.statuses else customer.status not in {"draft", "rejected", "deleted", "purged"})
        and (not product_asked or any(is_asked(one, asked) for one in live))
        and (asked.attention is None or asked.attention == needs_attention(customer, owned))
    )


def is_asked(one: SubscriptionState, asked: Filters) -> bool:
    return (
        (not asked.product_types or one.product_type in asked.product_types)
        and asked.product in {None, one.product}
        and asked.kind in {None, "paid" if one.term_start else "trial"}
    )


def needs_attention(customer: CustomerState, owned: list[SubscriptionState]) -> bool:
    live = [one for one in owned if one.status in LIVE]
    return (
        customer.status == "pending_review"
        or any(one.term_start is None and one.trial_ends_at and one.trial_ends_at <= NOW + timedelta(days=7) for one in live)
        or any(one.seats_bought and one.seats_used >= one.seats_bought for one in live)
        or any(
            one.term_start is None and one.status in {"expired", "paused"} and one.product not in {other.product for other in live}
            for one in owned
        )
    )


def key(customer: CustomerState) -> str:
    return " ".join(customer.company.name.split())


def order(sort: str) -> Any:
    def place(one: Person) -> Any:
        customer, owned = one
        ends = [sub.trial_ends_at for sub in owned if sub.status == "trial" and sub.trial_ends_at]
        first: dict[str, Any] = {
            "name": (key(customer),),
            "type": (customer.management_type, key(customer)),
            "created_at": (customer.created_at,),
            "trial_ends_at": (not ends, min(ends, default=NOW)),
        }
        return (*first[sort], customer.id.bytes)

    return place


@pytest.fixture
async def population(tx: Transaction) -> Population:
    """80 customers, told to reporting; the same in every run."""
    population = a_population(tx.partner_id)
    await tell(tx, *(state for customer, owned in population.people for state in (customer, *owned)))
    return population


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=filters, sort=st.sampled_from(SORTS), descending=st.booleans(), limit=st.integers(1, 40))
async def test_any_filters_in_any_order_give_what_they_say(
    *, tx: Transaction, population: Population, asked: Filters, sort: str, descending: bool, limit: int
) -> None:
    """CUS-33, CUS-32, CUS-30: against a filter in plain Python, page by page; what needs attention says why."""
    expected = sorted((one for one in population.people if wanted(*one, asked)), key=order(sort), reverse=descending)

    found = await all_pages(await reading(tx), asked, ("-" if descending else "") + sort, limit)

    assert [row.id for row in found] == [customer.id for customer, _ in expected]
    assert all(row.needs_attention == bool(row.attention) for row in found)
    assert asked.attention is None or all(row.needs_attention == asked.attention for row in found)


async def all_pages(read: Any, asked: Filters, sort: Any, limit: int) -> list[Any]:
    found: list[Any] = []
    page = await customer_overview.for_partner(read, asked, sort=sort, limit=limit)
    while page.next:
        found += page.items
        page = await customer_overview.for_partner(read, asked, sort=sort, limit=limit, cursor=page.next)
    return found + page.items
