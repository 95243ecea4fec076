"""Nobody takes over a customer, or changes who manages it, without its yes, which is asked for by mail (CUS-42 to CUS-49, BEY-14).

From the partner's request over the mail in the contact's inbox, and the page behind its link, to what
every service shows afterwards.
"""

import re
from typing import Any, Final

import pytest

from chassis_testing.waiting import eventually
from journeys.test_sandbox import Play, a_sandbox
from journeys.world import PATIENCE, World
from onebox import people
from onebox.api import Api, Refused

pytestmark = pytest.mark.timeout(600)

QUESTION: Final = re.compile(r"/consent#lang=\w+&token=([\w.~-]+)")


async def asked(world: World, company: str, subject: str) -> str:
    """The token of the newest question about a company, out of its contact's mail."""

    async def look() -> str:
        mails = [mail for mail in await world.mails_about(company) if subject in mail.headers["Subject"]]
        found = [token[1] for mail in mails if (token := QUESTION.search(mail.text))]
        assert found
        return found[-1]

    return await eventually(look, within=PATIENCE)


async def shown(world: World, token: str) -> dict[str, Any]:
    answer = await world.http.get("/v1/consents/asked", headers={"partnerdeck-link": token})
    assert answer.is_success, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def wanted(partner: Api, customer_id: str, management_type: str) -> None:
    seen = await partner.get(f"/v1/customers/{customer_id}")
    await partner.post(f"/v1/customers/{customer_id}/management", if_match=seen["version"], management_type=management_type)


async def managed_as(world: World, partner: Api, company: str, management_type: str) -> None:
    async def look() -> bool:
        return bool((await world.overview_of(partner, company))["management_type"] == management_type)

    await eventually(look, within=PATIENCE)


async def test_a_customer_is_imported_once_it_has_confirmed_by_its_mail(world: World) -> None:
    """CUS-42 to CUS-46: and nothing of it is seen before, or by the partner that had it afterwards."""
    before, body = await world.partner(), world.company("Import")
    customer = await before.post("/v1/customers", **body)
    company, email = body["company"]["name"], body["contact"]["email"]
    trial = await world.trial_of(before, customer["id"])
    after = await a_rival(world)

    one = await after.post("/v1/imports", email=email)

    token = await asked(world, company, "asks to manage the account")
    question = await shown(world, token)
    assert (question["partner"], question["company"], question["state"]) == ("Rival Systems", company, "requested")
    assert (await after.get("/v1/customers"))["items"] == []
    await Api(world.http).post("/v1/consents/confirm", token=token, no_macs=True)

    async def imported() -> bool:
        return bool((await after.get(f"/v1/imports/{one['id']}"))["status"] == "imported")

    await eventually(imported, within=PATIENCE)
    await world.overview_of(after, company)
    moved = await after.get(f"/v1/customers/{customer['id']}")
    assert moved["owner_partner_id"] == customer["owner_partner_id"] != moved["partner_id"]
    assert (await world.trial_of(after, customer["id"]))["id"] == trial["id"]
    with pytest.raises(Refused) as refused:
        await before.get(f"/v1/customers/{customer['id']}")
    assert refused.value.status == 404
    with pytest.raises(Refused):
        await Api(world.http).post("/v1/consents/confirm", token=token)


async def test_who_manages_a_customer_changes_by_its_yes_and_not_by_its_no(world: World) -> None:
    """CUS-48, CUS-49, CUS-52: declined it stays as it is, confirmed the customer does not sign in any more."""
    partner, body = await world.partner(), world.company("Management")
    customer = await partner.post("/v1/customers", **body)
    company = body["company"]["name"]

    await wanted(partner, customer["id"], "customer_managed")
    declined = await asked(world, company, "asks to change who manages")
    assert (await shown(world, declined))["management_type"] == "customer_managed"
    await Api(world.http).post("/v1/consents/decline", token=declined)
    assert (await partner.get(f"/v1/customers/{customer['id']}"))["management_type"] == "co_managed"

    await wanted(partner, customer["id"], "partner_managed")

    async def another() -> str:
        token = await asked(world, company, "asks to change who manages")
        assert token != declined
        return token

    await Api(world.http).post("/v1/consents/confirm", token=await eventually(another, within=PATIENCE))
    await managed_as(world, partner, company, "partner_managed")
    ledger = (await partner.get(f"/v1/customers/{customer['id']}/consents"))["items"]
    assert [(one["kind"], one["state"]) for one in ledger] == [("management_change", "granted"), ("management_change", "declined")]


async def test_a_question_that_nobody_answers_expires_by_the_partners_clock(world: World) -> None:
    """CUS-48, BEY-11: ninety days later everything is as it was, and the link opens nothing."""
    play: Play = await a_sandbox(world, "Consent")
    partner = await play.me()
    body = world.company("Expiring")
    customer = await partner.post("/v1/customers", **body)
    await wanted(partner, customer["id"], "customer_managed")
    token = await asked(world, body["company"]["name"], "asks to change who manages")

    await play.until_ended(await play.advance(by="P91D"))

    assert (await shown(world, token))["state"] == "expired"
    now = await (await play.me()).get(f"/v1/customers/{customer['id']}")
    assert (now["management_type"], now["management_wanted"]) == ("co_managed", None)
    assert len(await world.told("customer.management_expired", customer["id"])) == 1


async def a_rival(world: World) -> Api:
    admin = {"name": "Rita Rival", "email": "rita@rival-systems.com", "password": people.PASSWORD}
    await (await world.operator()).post("/v1/partners", company_name="Rival Systems", country="FR", admin=admin)
    return await Api(world.http).signed_in("rita@rival-systems.com", people.PASSWORD)
