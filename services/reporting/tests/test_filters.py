"""Every filter is off until it is set, and any of them may be combined (CUS-33)."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from told_to_reporting import NOW, a_customer, a_subscription, an_endpoint, refuse, rejected, report, tell

from chassis.database import Transaction
from chassis_testing.database import reading
from contracts.customers.customers import CustomerState
from contracts.licensing.subscriptions import SubscriptionState
from contracts.products.endpoints import EndpointReported
from reporting import customer_overview
from reporting.rules.customer_filters import Filters

TYPES = {"endpoint": "endpoint_protection", "edr": "endpoint_protection", "mail": "email_security"}
MANAGEMENT_TYPES = ["partner_managed", "customer_managed", "co_managed"]
STATUSES = ["draft", "pending_review", "active", "disabled", "deleting", "deleted", "purged", "rejected"]
LIVE = {"trial", "active", "suspended", "cancelling"}
SORTS = ["name", "type", "created_at", "trial_ends_at", "require_update"]

filters = st.builds(
    Filters,
    fragment=st.none() | st.sampled_from(["a", "an", "ab", "%", "zz"]),
    management_types=st.lists(st.sampled_from(MANAGEMENT_TYPES), max_size=2),
    product_types=st.lists(st.sampled_from([*TYPES.values(), "backup"]), max_size=2),
    product=st.none() | st.sampled_from([*TYPES, "backup"]),
    kind=st.none() | st.sampled_from(["trial", "paid"]),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=4),
    attention=st.none() | st.booleans(),
    alerts=st.none() | st.sampled_from(["critical", "warning"]),
    require_update=st.none() | st.booleans(),
)


@dataclass(frozen=True, slots=True)
class Person:
    customer: CustomerState
    owned: list[SubscriptionState]
    endpoints: list[EndpointReported]
    rejected_days_ago: int | None


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
            over = {"seats_bought": dice.choice([0, 5, 50]), "seats_used": dice.choice([0, 5, 6])}
            status = dice.choice(
                ["trial", "trial", "expired", "paused"] if kind == "trial" else ["active", "suspended", "cancelling", "expired"]
            )
            ends_in = timedelta(days=dice.choice([-1, 3, 7, 8, 30]))
            owned.append(
                a_subscription(customer, kind=kind, product=product, product_type=TYPES[product], status=status, ends_in=ends_in, **over)
            )
        endpoints = [an_endpoint(customer, **wanting(dice)) for _ in range(dice.choice([0, 0, 0, 1, 3]))]
        people.append(Person(customer, owned, endpoints, dice.choice([None, None, None, None, 10, 29, 31])))
    return Population(people)


def wanting(dice: random.Random) -> dict[str, Any]:
    return {
        "protection": dice.choice(["protected", "protected", "disabled", "activation_required"]),
        "agent_update_required": dice.random() < 0.3,
        "definitions_update_required": dice.random() < 0.1,
        "firmware_update_required": dice.random() < 0.1,
        "infected_items": dice.choice([0, 0, 0, 2]),
        "deleted": dice.random() < 0.2,
    }


def wanted(one: Person, asked: Filters) -> bool:
    """The filters, said again in plain words."""
    customer, owned, severities = one.customer, one.owned, concerns(one)
    live = [one for one in owned if one.status in LIVE]
    product_asked = asked.product_types or asked.product or asked.kind
    return (
        (asked.fragment is None or asked.fragment in key(customer))
        and (not asked.management_types or customer.management_type in asked.management_types)
        and (customer.status in asked.statuses if asked.statuses else customer.status not in {"draft", "rejected", "deleted", "purged"})
        and (not product_asked or any(is_asked(one, asked) for one in live))
        and (asked.attention is None or asked.attention == bool(severities))
        and (asked.alerts is None or bool(severities & ({"critical", "warning"} if asked.alerts == "warning" else {"critical"})))
        and (asked.require_update is None or asked.require_update == (updates(one) > 0))
    )


def is_asked(one: SubscriptionState, asked: Filters) -> bool:
    return (
        (not asked.product_types or one.product_type in asked.product_types)
        and asked.product in {None, one.product}
        and asked.kind in {None, "paid" if one.term_start else "trial"}
    )


def concerns(one: Person) -> set[str]:
    """How much each reason for attention weighs, as the policy that is shipped says."""
    live = [each for each in one.owned if each.status in LIVE]
    products = {each.product for each in live}
    run_out = [each for each in one.owned if each.product not in products]
    present = [each for each in one.endpoints if not each.deleted]
    given = {each.offer for each in live}
    reasons = {
        "critical": [
            any(each.infected_items for each in present),
            any(each.protection == "disabled" for each in present),
            any(each.term_start is None and each.status in {"expired", "paused"} for each in run_out),
            any(each.term_start is not None and each.status == "expired" for each in run_out),
            any(each.seats_bought and each.seats_used > each.seats_bought for each in live),
        ],
        "warning": [
            any(each.protection == "activation_required" for each in present),
            any(each.agent_update_required or each.definitions_update_required or each.firmware_update_required for each in present),
            one.customer.status == "pending_review",
            any(each.term_start is None and each.trial_ends_at and each.trial_ends_at <= NOW + timedelta(days=7) for each in live),
            any(each.seats_bought and each.seats_used == each.seats_bought for each in live),
            one.rejected_days_ago is not None and one.rejected_days_ago < 30 and "endpoint-cloud" not in given,
        ],
    }
    return {severity for severity, found in reasons.items() if any(found)}


def updates(one: Person) -> int:
    return sum(each.agent_update_required for each in one.endpoints if not each.deleted)


def key(customer: CustomerState) -> str:
    return " ".join(customer.company.name.split())


def order(sort: str) -> Any:
    def place(one: Person) -> Any:
        customer, owned = one.customer, one.owned
        ends = [sub.trial_ends_at for sub in owned if sub.status == "trial" and sub.trial_ends_at]
        first: dict[str, Any] = {
            "name": (key(customer),),
            "type": (customer.management_type, key(customer)),
            "created_at": (customer.created_at,),
            "trial_ends_at": (not ends, min(ends, default=NOW)),
            "require_update": (updates(one), key(customer)),
        }
        return (*first[sort], customer.id.bytes)

    return place


@pytest.fixture
async def population(tx: Transaction) -> Population:
    """80 customers, told to reporting; the same in every run."""
    population = a_population(tx.partner_id)
    await tell(tx, *(state for one in population.people for state in (one.customer, *one.owned)))
    await report(tx, *(endpoint for one in population.people for endpoint in one.endpoints))
    late = [(one.customer, one.rejected_days_ago) for one in population.people if one.rejected_days_ago is not None]
    await refuse(tx, *(rejected(customer, days_ago=days) for customer, days in late))
    return population


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=filters, sort=st.sampled_from(SORTS), descending=st.booleans(), limit=st.integers(1, 40))
async def test_any_filters_in_any_order_give_what_they_say(
    *, tx: Transaction, population: Population, asked: Filters, sort: str, descending: bool, limit: int
) -> None:
    """CUS-33, CUS-32, CUS-30: against a filter in plain Python, page by page; what needs attention says why."""
    expected = sorted((one for one in population.people if wanted(one, asked)), key=order(sort), reverse=descending)

    found = await all_pages(await reading(tx), asked, ("-" if descending else "") + sort, limit)

    assert [row.id for row in found] == [one.customer.id for one in expected]
    assert [row.require_update for row in found] == [updates(one) for one in expected]
    assert all(row.needs_attention == bool(row.attention) for row in found)
    assert [{reason.severity for reason in row.attention} for row in found] == [concerns(one) for one in expected]
    assert all(row.alerts.critical == sum(reason.severity == "critical" for reason in row.attention) for row in found)
    assert asked.attention is None or all(row.needs_attention == asked.attention for row in found)


async def all_pages(read: Any, asked: Filters, sort: Any, limit: int) -> list[Any]:
    found: list[Any] = []
    page = await customer_overview.for_partner(read, asked, sort=sort, limit=limit)
    while page.next:
        found += page.items
        page = await customer_overview.for_partner(read, asked, sort=sort, limit=limit, cursor=page.next)
    return found + page.items
