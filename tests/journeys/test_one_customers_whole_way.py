"""A customer is created with a trial, mailed, listed, converted, and billed downstream: once each, whoever is killed on the way.

CUS-02, CUS-10, CUS-29, LIC-01, LIC-11, NOT-12, LIC-34 from end to end, through the gateway.
"""

from typing import Any

import pytest

from journeys.world import LINK, PATIENCE, World
from onebox.api import Api
from onebox.postgres import SERVICES


async def convert(world: World, partner: Api, trial_id: str) -> dict[str, Any]:
    preview = await partner.post(f"/v1/subscriptions/{trial_id}/convert/preview")
    current = await partner.get(f"/v1/subscriptions/{trial_id}")
    converted: dict[str, Any] = await partner.post(
        f"/v1/subscriptions/{trial_id}/convert", if_match=current["version"], preview_token=preview["preview_token"]
    )
    return converted


async def holds_in_the_end(world: World, body: dict[str, Any], customer_id: str, subscription_id: str) -> None:
    """The same end state whatever happened: one trial, one mail by Message-ID and recipient, one conversion, one line.

    Counted when nothing is on its way any more, so that what comes twice has come.
    """
    await world.until_quiet()
    mails = {(mail.headers["To"], mail.headers["Message-ID"]) for mail in await world.mails_about(body["company"]["name"])}
    assert len(mails) == 2
    (line,) = await world.billed(subscription_id)
    assert line["customer_id"] == customer_id
    for topic in ("customer.created", "trial.started", "trial.converted", "billing.line_rated"):
        assert len(await world.told(topic, customer_id)) == 1, topic
    assert len(await world.told("notification.sent", customer_id)) == 2
    subscriptions = await (await world.partner()).get("/v1/subscriptions", customer_id=customer_id)
    assert [one["id"] for one in subscriptions["items"]] == [subscription_id]


async def test_from_creation_to_the_billing_line(world: World) -> None:
    """CUS-27, CUS-28: once it is ordered it is listed and managed, with its profile, its user and what was asked for."""
    partner = await world.partner()
    body = world.company("Whole Way", seats=25)
    customer = await partner.post("/v1/customers", **body)
    trial = await world.trial_of(partner, customer["id"])
    assert (trial["status"], trial["seats_bought"]) == ("trial", 25)

    row = await world.overview_of(partner, body["company"]["name"])
    assert row["management_type"] == "co_managed"
    converted = await convert(world, partner, trial["id"])

    assert (converted["id"], converted["status"]) == (trial["id"], "active")
    await holds_in_the_end(world, body, customer["id"], trial["id"])


async def test_the_customer_signs_in_by_the_link_in_its_mail_and_only_once(world: World) -> None:
    """NOT-12: a set-your-password link, never a password; the partner's copy carries no link (CUS-05)."""
    partner = await world.partner()
    body = world.company("Sign In")
    await partner.post("/v1/customers", **body)
    mails = await world.mails_about(body["company"]["name"], at_least=2)
    (link,) = [found for mail in mails if (found := LINK.search(mail.text))]

    api = Api(world.http)
    await api.post("/v1/credentials/set-password", token=link[1], password="a-much-better-password")
    signed_in = await api.signed_in(f"mia.maple@{body['domain']}", "a-much-better-password")

    assert (await signed_in.get("/v1/me"))["user"]["kind"] == "customer"
    again = await world.http.post("/v1/credentials/set-password", json={"token": link[1], "password": "yet-another-password"})
    assert again.is_client_error


async def test_a_customer_in_review_gets_nothing_until_an_operator_clears_it(world: World) -> None:
    """CUS-13: a screening hit holds the account; nothing is provisioned or mailed before it is cleared."""
    partner = await world.partner()
    body = world.company("Whole Way")
    body["company"]["name"] = SCREENED
    customer = await partner.post("/v1/customers", **body)
    assert customer["status"] == "pending_review"

    review = next(each for each in await (await world.operator()).everything("/v1/reviews") if each["customer_id"] == customer["id"])
    assert (await partner.get("/v1/subscriptions", customer_id=customer["id"]))["items"] == []
    await (await world.operator()).post(f"/v1/customers/{customer['id']}/review/clear", if_match=review["version"])

    assert (await world.trial_of(partner, customer["id"]))["status"] == "trial"


async def test_another_partner_sees_nothing_of_it(world: World) -> None:
    partner = await world.partner()
    body = world.company("Secret")
    customer = await partner.post("/v1/customers", **body)
    trial = await world.trial_of(partner, customer["id"])
    stranger = await a_stranger(world)

    for path in (f"/v1/customers/{customer['id']}", f"/v1/customers/{customer['id']}/profile", f"/v1/subscriptions/{trial['id']}"):
        assert (await world.http.get(path, headers=stranger.headers)).status_code == 404, path
    for path in ("/v1/customers", "/v1/customer-overview", "/v1/subscriptions", "/v1/notifications"):
        assert (await stranger.get(path))["items"] == [], path


@pytest.mark.timeout(900)
async def test_whichever_process_is_killed_changes_nothing_of_the_outcome(world: World) -> None:
    """kill -9 of every process in turn, right after a customer's 201; of those that bill, again right after the conversion's 200."""
    made = {}
    for victim in (*SERVICES, "gateway", "mail", "billing", "kafka", "postgres"):
        body = world.company(f"Killed {victim}")
        partner = await world.partner()
        made[victim] = body, await partner.post("/v1/customers", **body)
        await kill(world, victim)
    for victim, (body, customer) in made.items():
        partner = await world.partner()
        trial = await world.trial_of(partner, customer["id"])
        converted = await world.patiently(lambda api=partner, trial_id=trial["id"]: convert(world, api, trial_id))
        if victim in {"licensing", "kafka", "postgres"}:
            await kill(world, victim)
        assert converted["id"] == trial["id"]
        made[victim] = body, customer | {"subscription": trial["id"]}
    for body, customer in made.values():
        await holds_in_the_end(world, body, customer["id"], customer["subscription"])


async def kill(world: World, name: str) -> None:
    before = world.suite.restarts(name)
    world.suite.kill(name)
    await world.suite.until_restarted(name, before, within=3 * PATIENCE)
    await world.until_ready()


async def a_stranger(world: World) -> Api:
    password = "the-other-partners-word"
    await (await world.operator()).post(
        "/v1/partners",
        company_name="Other Partner",
        country="FR",
        admin={"name": "Oscar Other", "email": "oscar@other-partner.com", "password": password},
    )
    return await Api(world.http).signed_in("oscar@other-partner.com", password)


SCREENED = "Ghost Ledger Holding"
