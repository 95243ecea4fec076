"""What a customer's product is set to: at its beginning by default, later by a template that its partner chooses (CUS-28, CUS-65)."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen, Stale
from chassis.ids import new_id
from chassis_testing.database import as_stranger, reading
from contracts.licensing.product_settings import TemplateAssigned
from contracts.licensing.subscriptions import TrialStarted
from licensing import provisioning
from licensing.errors import CustomerNotServed
from licensing.errors.product_settings import NotOffered, NotSupported, ProductNotHeld
from licensing.product_settings import assigning, shown
from licensing.product_settings.assigning import AssignTemplate
from licensing.rules.setting import Pattern
from licensing.tables.product_settings import ProductSettings
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import CustomerTold, a_customer, a_holder, a_product, a_template, a_trial, an_offer, asked
from licensing_testing.desk import Desk

ANY = Seen(None)


async def settings_of(tx: Transaction, customer_id: UUID) -> ProductSettings | None:
    return (await tx.session.scalars(select(ProductSettings).where(ProductSettings.customer_id == customer_id))).one_or_none()


def chosen(customer_id: UUID, template: Any, seen: Seen = ANY) -> AssignTemplate:
    return AssignTemplate(customer_id=customer_id, pattern=Pattern.of(template), seen=seen)


async def test_a_new_customer_gets_its_plan_and_the_partners_default_settings(tx: Transaction) -> None:
    """CUS-28: creation assigns a service plan and sets default product settings."""
    await a_product(tx, defaults={"scan": "never"})
    await a_template(tx)
    template = await a_template(tx, settings={"scan": "daily"}, is_default=True)
    offer = await an_offer(tx, product="worry-free")
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])

    for _ in range(2):
        await provisioning.follow(tx, customer.now("active", tx.now))

    (plan,) = await tx.session.scalars(select(Subscription).where(Subscription.customer_id == customer.id))
    settings = await settings_of(tx, customer.id)
    assert settings is not None
    assert (plan.status, plan.product, settings.settings, settings.template_id) == ("trial", "worry-free", {"scan": "daily"}, template.id)
    assert tx.facts_told == [TrialStarted, TemplateAssigned]
    assigned = tx.told[-1]
    assert assigned.record == TemplateAssigned(
        product="worry-free", template_id=template.id, template_version=1, settings={"scan": "daily"}
    )
    assert (assigned.about.id, assigned.about.version, assigned.about.customer_id) == (settings.id, 1, customer.id)


async def test_where_the_partner_has_no_default_the_products_own_settings_are_set(tx: Transaction) -> None:
    """CUS-28: and nothing is told, for the product has them already."""
    await a_product(tx, defaults={"scan": "weekly"})
    await a_template(tx)
    offer = await an_offer(tx, product="worry-free")
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    settings = await settings_of(tx, customer.id)
    assert settings is not None
    assert (settings.settings, settings.template_id, tx.facts_told) == ({"scan": "weekly"}, None, [TrialStarted])


async def test_a_product_that_cannot_be_set_is_set_to_nothing(tx: Transaction) -> None:
    """CUS-28, CUS-65: and one that was set before stays as it is."""
    await a_product(tx, templates=False)
    customer_id = await a_holder(tx)
    assert await settings_of(tx, customer_id) is None
    await a_product(tx, "cloud-edge")
    await a_template(tx, product="cloud-edge", is_default=True)
    holder = await a_holder(tx, product="cloud-edge")
    settings = await settings_of(tx, holder)
    assert settings is not None
    settings.settings = {"its": "own"}

    await a_trial(tx, offer=await an_offer(tx, product="cloud-edge"), customer_id=holder)

    assert settings.settings == {"its": "own"}


async def test_an_existing_customer_is_assigned_a_template_once(tx: Transaction) -> None:
    """CUS-65: told with its version; what is set so already is left alone."""
    await a_product(tx)
    customer_id = await a_holder(tx)
    template = await a_template(tx)

    first = await assigning.assign(tx, chosen(customer_id, template, Seen(frozenset({0}))))
    again = await assigning.assign(tx, chosen(customer_id, template))
    with pytest.raises(Stale):
        await assigning.assign(tx, chosen(customer_id, await a_template(tx), Seen(frozenset({0}))))

    assert (first.version, again.version, tx.facts_told) == (1, 1, [TemplateAssigned])
    other = await a_template(tx, settings={"scan": "hourly"})
    changed = await assigning.assign(tx, chosen(customer_id, other, Seen(frozenset({1}))))
    assert (changed.version, changed.settings, changed.template_name) == (2, {"scan": "hourly"}, other.name)
    assert [one.about.version for one in tx.told] == [1, 2]


async def test_what_a_customer_was_given_stays_when_the_template_changes(tx: Transaction) -> None:
    await a_product(tx)
    customer_id = await a_holder(tx)
    template = await a_template(tx, settings={"scan": "daily"})
    settings = await assigning.assign(tx, chosen(customer_id, template))

    template.settings = {"scan": "never"}
    await tx.session.flush()
    await tx.session.delete(template)
    await tx.session.flush()

    assert (settings.settings, settings.template_version) == ({"scan": "daily"}, 1)


@pytest.mark.parametrize(
    ("given", "refused", "rule"),
    [
        ({"status": "disabled"}, CustomerNotServed, "CUS-65"),
        ({"account_type": "licensing_portal"}, NotOffered, "CUS-64"),
        ({"management_type": "customer_managed"}, NotOffered, "CUS-51"),
        ({}, ProductNotHeld, "CUS-65"),
    ],
)
async def test_it_is_assigned_only_where_it_is_offered(tx: Transaction, given: dict[str, Any], refused: type[Any], rule: str) -> None:
    """CUS-65, CUS-64, CUS-51: for accounts of the licensing platform whose products the partner runs, and which have the product."""
    await a_product(tx)
    template = await a_template(tx)

    with pytest.raises(refused) as problem:
        await assigning.assign(tx, chosen(await a_customer(tx, **given), template))

    assert (problem.value.rule, tx.told) == (rule, [])


async def test_a_product_that_is_not_template_capable_is_refused(tx: Transaction) -> None:
    """CUS-65: also where a template was made while it was."""
    await a_product(tx, templates=False)
    customer_id = await a_holder(tx)
    pattern = Pattern(template_id=new_id(), version=1, name="Strict", product="worry-free", settings={})

    with pytest.raises(NotSupported):
        await assigning.assign(tx, AssignTemplate(customer_id=customer_id, pattern=pattern, seen=ANY))


async def test_another_partners_settings_do_not_exist(tx: Transaction) -> None:
    await a_product(tx)
    customer_id = await a_holder(tx)
    await assigning.assign(tx, chosen(customer_id, await a_template(tx)))

    async with as_stranger(tx) as stranger:
        assert (await shown.of_customer(await reading(stranger), customer_id)).items == []


@pytest.fixture
async def customer(desk: Desk) -> UUID:
    await desk.set_up(lambda tx: a_product(tx, defaults={"scan": "weekly"}))
    return await desk.knows(await desk.set_up(a_holder))


async def test_a_customers_settings_are_read_and_assigned_over_http(desk: Desk, customer: UUID) -> None:
    """CUS-65: by whoever may manage its products; its own users see what is set, and not by which template."""
    template = await desk.set_up(a_template)
    path, body = f"/v1/customers/{customer}/product-settings", {"template_id": str(template.id)}
    before = await desk.get(f"{path}/worry-free")

    assigned = await desk.post(f"{path}/worry-free/assign", body, if_match=before.headers["etag"], idempotency_key="k")
    again = await desk.post(f"{path}/worry-free/assign", body, if_match=before.headers["etag"], idempotency_key="k")
    unseen = await desk.post(f"{path}/worry-free/assign", body)
    stale = await desk.post(f"{path}/worry-free/assign", body, if_match='"9"')

    assert (before.json()["settings"], before.headers["etag"]) == ({"scan": "weekly"}, '"1"')
    assert (assigned.status_code, assigned.headers["etag"], again.content) == (200, '"2"', assigned.content)
    assert (unseen.status_code, stale.status_code) == (428, 412)
    (row,) = (await desk.get(path)).json()["items"]
    assert (row["template_id"], row["template_name"], row["settings"]) == (str(template.id), template.name, {"scan": "weekly"})
    (own,) = (await (await desk.portal(customer)).get(path)).json()["items"]
    assert own["settings"] == {"scan": "weekly"}
    assert not own.keys() & {"template_id", "template_version", "template_name"}
    assert (await desk.get(f"{path}/abacus")).json()["code"] == "settings_not_found"


async def test_assigning_needs_the_permission_the_level_and_a_template_of_ones_own(desk: Desk, customer: UUID) -> None:
    """CUS-85, CUS-86."""
    template, mine = await desk.set_up(a_template), desk.principal.partner_id
    stranger = await desk.newcomer()
    theirs = await stranger.set_up(a_template)
    await desk.set_up(lambda tx: a_product(tx, "cloud-edge"))
    other = await desk.set_up(lambda tx: a_template(tx, product="cloud-edge"))
    path = f"/v1/customers/{customer}/product-settings/worry-free/assign"
    people = {
        "not_allowed": await desk.newcomer(permissions=[], partner_id=mine),
        "read_only_access": await desk.newcomer(level="read", partner_id=mine),
        "customer_not_found": await desk.newcomer(level="none", partner_id=mine),
        "wrong_principal": await desk.portal(customer),
    }

    for code, who in people.items():
        assert (await who.post(path, {"template_id": str(template.id)}, if_match="*")).json()["code"] == code
    assert (await stranger.post(path, {"template_id": str(theirs.id)}, if_match="*")).json()["code"] == "customer_not_found"
    for wrong, code in ((theirs.id, "unknown_template"), (other.id, "template_of_other_product"), (new_id(), "unknown_template")):
        assert (await desk.post(path, {"template_id": str(wrong)}, if_match="*")).json()["code"] == code
    assert (await (await desk.operator()).get(f"/v1/customers/{new_id()}/product-settings")).json()["code"] == "customer_not_found"


async def test_of_twenty_that_assign_at_once_one_has_seen_what_was_set(desk: Desk, customer: UUID) -> None:
    """CUS-65: nobody overwrites what it has not seen."""
    made = [await desk.set_up(a_template) for _ in range(20)]
    path = f"/v1/customers/{customer}/product-settings/worry-free/assign"

    answers = await asyncio.gather(*(desk.post(path, {"template_id": str(one.id)}, if_match='"1"') for one in made))

    assert Counter(one.status_code for one in answers) == {200: 1, 412: 19}
