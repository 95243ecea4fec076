"""What is asked for is on sale, and the partner may give it: refused at creation, not later (CUS-15, CUS-17)."""

from typing import Any

import pytest

from chassis.database import Transaction
from chassis.errors import Refusal
from customers import customers
from customers.errors import ProgrammeRequired, SeatCapExceeded, SerialRequired, TrialUsedUp
from customers.rules import provisioning
from customers.rules.provisioning import ProvisioningPolicy
from customers_testing.builders import (
    TRIAL_SEATS,
    a_partner,
    a_product,
    an_active_programme,
    an_application,
)
from customers_testing.outcomes import refused


async def test_at_least_one_product_is_needed(tx: Transaction) -> None:
    """CUS-15."""
    await a_partner(tx)

    assert await refused(tx, an_application(products=())) == {"/products": "too_few"}


async def test_a_paid_product_needs_an_active_programme(tx: Transaction) -> None:
    """CUS-17."""
    await a_partner(tx)
    paid = an_application(products=(a_product(kind="paid", quantity=60),))

    assert await refused(tx, paid, ProgrammeRequired) == {"/products/0/kind": "no_programme"}

    await an_active_programme(tx)
    await customers.create(tx, paid)


async def test_a_programme_that_does_not_grant_paid_products_does_not_help(tx: Transaction) -> None:
    """CUS-17, C-10."""
    await a_partner(tx)
    await an_active_programme(tx, capabilities=("set_up_trial",))
    paid = an_application(products=(a_product(kind="paid", quantity=60),))

    assert await refused(tx, paid, ProgrammeRequired) == {"/products/0/kind": "no_programme"}


@pytest.mark.parametrize(
    ("without_programme", "answers", "against"),
    [
        ("no", {"serial_number": "SN-1"}, ProgrammeRequired),
        ("yes", {}, None),
        ("product_serial", {"serial_number": "SN-1"}, None),
        ("product_serial", {"serial_number": " "}, SerialRequired),
        ("product_serial", {"serial_number": 1}, SerialRequired),
        ("product_serial", {}, SerialRequired),
    ],
)
def test_the_policy_says_what_is_sold_without_a_programme(without_programme: Any, answers: dict[str, Any], against: type[Refusal]) -> None:
    """CUS-17, LIC-10."""
    policy = ProvisioningPolicy(paid_without_programme=without_programme)

    assert provisioning.against(a_product(kind="paid", answers=answers), frozenset(), policy) is against
    assert provisioning.against(a_product(kind="trial"), frozenset(), policy) is None
    assert provisioning.against(a_product(kind="paid"), frozenset({"set_up_paid"}), policy) is None


async def test_a_trial_has_no_more_seats_than_its_offer_gives(tx: Transaction) -> None:
    """LIC-01: refused as licensing refuses it."""
    await a_partner(tx)

    too_many = an_application(products=(a_product(quantity=TRIAL_SEATS + 1),))
    assert await refused(tx, too_many, SeatCapExceeded) == {"/products/0/quantity": "seat_cap_exceeded"}


async def test_what_the_catalogue_forbids_is_refused_at_once(tx: Transaction) -> None:
    """CUS-15: an offer that is unknown or withdrawn, seat 51 of a trial, the same offer twice."""
    await a_partner(tx)
    asked = (
        a_product(item=1, offer="nonsense"),
        a_product(item=2, offer="endpoint-classic"),
        a_product(item=3, quantity=TRIAL_SEATS + 1),
        a_product(item=4),
    )

    assert await refused(tx, an_application(products=asked)) == {
        "/products/0/offer": "unknown_offer",
        "/products/1/offer": "offer_withdrawn",
        "/products/2/quantity": "seat_cap_exceeded",
        "/products/3/offer": "offer_twice",
    }


async def test_a_product_is_tried_by_one_of_its_offers(tx: Transaction) -> None:
    """CUS-15, C-1: refused as licensing refuses it; to buy another of its offers is no second trial."""
    await a_partner(tx)
    await an_active_programme(tx)
    first, bought = a_product(item=1), a_product(item=2, offer="endpoint-archive", kind="paid")
    twice = an_application(products=(first, bought, a_product(item=3, offer="endpoint-preview")))

    assert await refused(tx, twice, TrialUsedUp) == {"/products/2/offer": "trial_used_up"}

    await customers.create(tx, an_application(products=(first, bought)))


async def test_what_cannot_be_tried_or_bought_is_refused_in_the_words_of_licensing(tx: Transaction) -> None:
    """CUS-15, C-1, LIC-03."""
    await a_partner(tx)
    await an_active_programme(tx)
    asked = (a_product(item=1, offer="endpoint-preview", kind="paid"), a_product(item=2, offer="endpoint-archive", kind="trial"))

    assert await refused(tx, an_application(products=asked)) == {"/products/0/kind": "no_price", "/products/1/kind": "no_trial"}


async def test_how_many_seats_is_said_where_the_offer_does_not_say_it(tx: Transaction) -> None:
    """CUS-15, LIC-02, LIC-03: a trial without a cap has as many as ordered, and what is bought has no number of its own."""
    await a_partner(tx)
    await an_active_programme(tx)
    asked = (
        a_product(item=1, offer="endpoint-as-ordered", quantity=None),
        a_product(item=2, offer="endpoint-archive", kind="paid", quantity=None),
        a_product(item=3, quantity=None),
    )

    assert await refused(tx, an_application(products=asked)) == {
        "/products/0/quantity": "quantity_required",
        "/products/1/quantity": "quantity_required",
    }
