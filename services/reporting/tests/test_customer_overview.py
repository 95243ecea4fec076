"""The overview shows every customer of a partner as it was told last, with what its subscriptions add up to.

Whatever the order in which records arrive and however often, the rows end the same.
"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from told_to_reporting import NOW, a_customer, a_subscription, an_endpoint, end, report, tell

from chassis.access.rights import CustomerNotFound
from chassis.database import Transaction
from chassis_testing.database import as_stranger, reading
from contracts.licensing.subscriptions import SubscriptionState
from reporting import customer_overview
from reporting.customer_overview import ContactView, OverviewRowView
from reporting.rules.attention import AttentionView
from reporting.rules.attention_policy import Reason
from reporting.rules.customer_filters import Filters
from reporting.rules.customer_orders import SortBy
from reporting.rules.product_use import UseView


async def shown(tx: Transaction, sort: SortBy = "name", **filters: Any) -> list[OverviewRowView]:
    return (await customer_overview.for_partner(await reading(tx), Filters(**filters), sort=sort)).items


async def names(tx: Transaction, sort: SortBy = "name", **filters: Any) -> list[str]:
    return [row.name for row in await shown(tx, sort, **filters)]


async def everything(tx: Transaction) -> list[tuple[Any, ...]]:
    rows = [tuple(row) for row in await tx.session.execute(text("select xmin::text, * from customer_overview order by id"))]
    return rows + [tuple(row) for row in await tx.session.execute(text("select xmin::text, * from subscription_overview order by id"))]


def licensing(reason: Reason, about: SubscriptionState | None = None, **said: Any) -> AttentionView:
    subscription = {"subscription_id": about.id, "product": about.product} if about else {}
    return AttentionView(**{"reason": reason, "concern": "licensing", "severity": "warning"} | subscription | said)


async def test_a_customer_on_trial_shows_with_its_contact_product_and_capacity(tx: Transaction) -> None:
    """CUS-29, CUS-30, CUS-34: basic contact info, type, products, used and capacity per product type."""
    customer = a_customer(tx.partner_id, name="Hafen GmbH", management_type="co_managed", tags=["vip"])
    trial = a_subscription(customer, seats_used=3)
    await tell(tx, customer, trial)

    row = (await shown(tx))[0]

    assert (row.id, row.name, row.management_type, row.domain, row.tags) == (
        customer.id,
        "Hafen GmbH",
        "co_managed",
        "example.com",
        ["vip"],
    )
    assert row.contact == ContactView("Ada Lovelace", "ada@example.com", None)
    assert [(one.product, one.kind, one.used, one.capacity, one.trial_ends_at) for one in row.products] == [
        ("endpoint", "trial", 3, 50, trial.trial_ends_at)
    ]
    assert row.use == [UseView("endpoint_protection", 3, 50)]
    assert not row.needs_attention


async def test_used_and_capacity_are_added_up_for_each_product_type(tx: Transaction) -> None:
    """CUS-34; what has ended is no capacity any more."""
    customer = a_customer(tx.partner_id)
    await tell(
        tx,
        customer,
        a_subscription(customer, kind="paid", product="endpoint", seats_bought=10, seats_used=4),
        a_subscription(customer, kind="paid", product="endpoint-edr", seats_bought=5, seats_used=1),
        a_subscription(customer, kind="paid", product="mail", product_type="email_security", seats_bought=20, seats_used=7),
        a_subscription(customer, kind="paid", product="mail", product_type="email_security", status="cancelled", seats_bought=99),
    )

    row = (await shown(tx))[0]

    assert row.use == [UseView("email_security", 7, 20), UseView("endpoint_protection", 5, 15)]
    assert [one.product for one in row.products] == ["endpoint", "endpoint-edr", "mail"]


async def test_a_subscription_that_is_told_before_its_customer_is_counted_when_the_customer_comes(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, a_subscription(customer))
    assert await shown(tx) == []

    await tell(tx, customer)

    assert [one.product for one in (await shown(tx))[0].products] == ["endpoint"]


async def test_a_converted_trial_is_paid(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    trial = a_subscription(customer)
    await tell(tx, customer, trial)

    paid = trial.model_copy(update={"status": "active", "term_start": NOW, "term_end": NOW + timedelta(days=30)})
    await tell(tx, paid, version=2)

    assert [(one.kind, one.status) for one in (await shown(tx))[0].products] == [("paid", "active")]
    assert await names(tx, kind="trial") == []
    assert await names(tx, kind="paid") == ["Hafen GmbH"]


async def test_the_same_batch_twice_writes_nothing_the_second_time(tx: Transaction) -> None:
    customers = [a_customer(tx.partner_id, name=f"Kunde {number}") for number in range(3)]
    states = [*customers, *(a_subscription(customer) for customer in customers)]
    await tell(tx, *states)
    before = await everything(tx)

    async with tx.session.begin_nested():
        await tell(tx, *states)

    assert await everything(tx) == before


async def test_an_older_state_that_comes_late_changes_nothing(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id, name="Neu GmbH")
    subscription = a_subscription(customer, seats_used=9)
    await tell(tx, customer, subscription, version=5)

    await tell(tx, a_customer(tx.partner_id, id=customer.id, name="Alt GmbH"), subscription.model_copy(update={"seats_used": 1}), version=4)

    row = (await shown(tx))[0]
    assert (row.name, row.version, row.products[0].used) == ("Neu GmbH", 5, 9)


async def test_an_ended_subscription_leaves_its_customer_and_an_ended_customer_the_list(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    subscription = a_subscription(customer)
    await tell(tx, customer, subscription)

    await end(tx, subscription)
    row = (await shown(tx))[0]
    assert (row.products, row.use) == ([], [])

    await end(tx, customer)
    assert await shown(tx) == []


async def test_another_partners_customers_do_not_exist(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, customer, a_subscription(customer))

    async with as_stranger(tx) as stranger:
        assert await shown(stranger) == []
        assert await shown(stranger, fragment="hafen") == []
        with pytest.raises(CustomerNotFound):
            await customer_overview.one(await reading(stranger), customer.id)

    assert (await customer_overview.one(await reading(tx), customer.id)).name == "Hafen GmbH"


async def test_a_customer_is_found_by_a_fragment_of_its_name(tx: Transaction) -> None:
    """CUS-31: whatever the case and the accents; nothing in the fragment is a wildcard."""
    await tell(
        tx, *(a_customer(tx.partner_id, name=name) for name in ("Müller & Söhne", "MULLER AG", "100% Sicher", "Straße_9", "Back\\Slash"))
    )

    assert await names(tx, fragment="muller") == ["Müller & Söhne", "MULLER AG"]
    assert await names(tx, fragment="SÖHN") == ["Müller & Söhne"]
    assert await names(tx, fragment="strasse_") == ["Straße_9"]
    assert await names(tx, fragment="0% s") == ["100% Sicher"]
    assert await names(tx, fragment="%") == ["100% Sicher"]
    assert await names(tx, fragment="_") == ["Straße_9"]
    assert await names(tx, fragment="\\") == ["Back\\Slash"]
    assert await names(tx, fragment="nobody") == []


async def test_a_name_in_another_script_is_found_as_it_is_typed_here(tx: Transaction) -> None:
    """CUS-31: by the same key as in the list of customers."""
    await tell(tx, *(a_customer(tx.partner_id, name=name) for name in ("Иванова", "Søren ApS", "Łódź Sp. z o.o.")))

    assert await names(tx, fragment="ivanova") == ["Иванова"]
    assert await names(tx, fragment="ИВАН") == ["Иванова"]
    assert await names(tx, fragment="soren") == ["Søren ApS"]
    assert await names(tx, fragment="lodz") == ["Łódź Sp. z o.o."]


async def test_customers_are_sorted_by_name_or_by_type(tx: Transaction) -> None:
    """CUS-32: and by creation and by the next end of a trial, in both directions."""
    ada = a_customer(tx.partner_id, name="ada", management_type="partner_managed", created_at=NOW - timedelta(days=1))
    ben = a_customer(tx.partner_id, name="Ben", management_type="customer_managed", created_at=NOW - timedelta(days=3))
    cem = a_customer(tx.partner_id, name="Çem", management_type="co_managed", created_at=NOW - timedelta(days=2))
    await tell(tx, ada, ben, cem, a_subscription(cem), a_subscription(ben, ends_in=timedelta(days=9)))

    assert await names(tx, "name") == ["ada", "Ben", "Çem"]
    assert await names(tx, "-name") == ["Çem", "Ben", "ada"]
    assert await names(tx, "type") == ["Çem", "Ben", "ada"]
    assert await names(tx, "-type") == ["ada", "Ben", "Çem"]
    assert await names(tx, "created_at") == ["Ben", "Çem", "ada"]
    assert await names(tx, "trial_ends_at") == ["Ben", "Çem", "ada"]


async def test_who_is_no_customer_yet_any_more_or_ever_shows_only_when_asked_for(tx: Transaction) -> None:
    """CUS-29, CUS-13: the list shows customers; a rejected one, say, is found by its status."""
    statuses = ("draft", "pending_review", "rejected", "active", "disabled", "deleting", "deleted", "purged")
    await tell(tx, *(a_customer(tx.partner_id, name=status, status=status) for status in statuses))

    assert await names(tx) == ["active", "deleting", "disabled", "pending_review"]
    assert await names(tx, statuses=["deleted", "active"]) == ["active", "deleted"]
    assert await names(tx, statuses=["rejected", "draft"]) == ["draft", "rejected"]


async def test_a_customer_needs_attention_for_each_reason_that_is_known(tx: Transaction) -> None:
    """CUS-30: in review, a trial that ends within a week or has ended, and no seat left."""
    calm, review, soon, over, full = (
        a_customer(tx.partner_id, name=name, status=status)
        for name, status in (("calm", "active"), ("review", "pending_review"), ("soon", "active"), ("over", "active"), ("full", "active"))
    )
    ending = a_subscription(soon, ends_in=timedelta(days=7))
    ended = a_subscription(over, status="expired", ends_in=-timedelta(days=1))
    taken = a_subscription(full, kind="paid", seats_bought=5, seats_used=5)
    await tell(tx, calm, review, soon, over, full, a_subscription(calm, ends_in=timedelta(days=7, seconds=1)), ending, ended, taken)

    assert {row.name: row.attention for row in await shown(tx, attention=True)} == {
        "full": [licensing("seats_all_used", taken)],
        "over": [licensing("trial_expired", ended, severity="critical", at=ended.trial_ends_at)],
        "review": [licensing("pending_review")],
        "soon": [licensing("trial_ends_soon", ending, at=ending.trial_ends_at)],
    }
    assert await names(tx, attention=False) == ["calm"]


async def test_an_expired_trial_of_a_product_that_was_bought_meanwhile_needs_no_attention(tx: Transaction) -> None:
    customer = a_customer(tx.partner_id)
    await tell(tx, customer, a_subscription(customer, status="expired"))
    assert await names(tx, attention=True) == ["Hafen GmbH"]

    await tell(tx, a_subscription(customer, kind="paid"))

    assert await names(tx, attention=True) == []


async def test_pages_neither_repeat_nor_miss_a_customer_when_others_come_in_between(tx: Transaction) -> None:
    await tell(tx, *(a_customer(tx.partner_id, name=f"Kunde {number:02}") for number in range(10)))
    first = await customer_overview.for_partner(await reading(tx), Filters(), limit=4)

    await tell(tx, a_customer(tx.partner_id, name="Aaa, before the cursor"), a_customer(tx.partner_id, name="Kunde 05b, behind it"))
    second = await customer_overview.for_partner(await reading(tx), Filters(), limit=4, cursor=first.next)
    third = await customer_overview.for_partner(await reading(tx), Filters(), limit=4, cursor=second.next)

    assert [row.name for page in (first, second, third) for row in page.items] == [
        *(f"Kunde {number:02}" for number in range(6)),
        "Kunde 05b, behind it",
        *(f"Kunde {number:02}" for number in range(6, 10)),
    ]
    assert third.next is None


async def test_of_a_customer_that_manages_itself_its_partner_sees_products_and_how_they_work(tx: Transaction) -> None:
    """CUS-51: entitlements, deployment and function; no contact and the like. The customers it manages it sees whole."""
    itself = a_customer(tx.partner_id, name="itself", management_type="customer_managed")
    managed = a_customer(tx.partner_id, name="managed", management_type="co_managed")
    await tell(tx, itself, managed, a_subscription(itself))
    await report(tx, an_endpoint(itself, agent_update_required=True))

    for row in (await one_page(tx))["items"]:
        hidden = {"contact", "communications_mode", "domain", "city"}
        assert hidden & row.keys() == (set() if row["name"] == "itself" else hidden)
    single = msgspec.to_builtins(await customer_overview.one(await reading(tx), itself.id))

    assert (single["require_update"], [one["product"] for one in single["products"]]) == (1, ["endpoint"])
    assert [one["reason"] for one in single["attention"]] == ["agent_updates"]
    assert "contact" not in single


async def one_page(tx: Transaction) -> dict[str, Any]:
    page: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(await customer_overview.for_partner(await reading(tx), Filters())))
    return page
