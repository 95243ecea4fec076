"""The service as a client meets it: who may, which version, which key, and what it answers."""

from uuid import UUID

import pytest

from chassis.database import Transaction
from chassis.ids import new_id
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import a_customer, a_programme, a_serial, a_trial, an_offer
from licensing_testing.desk import Desk


@pytest.fixture
async def trial(desk: Desk) -> Subscription:
    """A trial of ten seats; the partner is in the programme."""

    async def build(tx: Transaction) -> Subscription:
        await a_programme(tx)
        return await a_trial(tx, offer=await an_offer(tx, code="sep-cloud"))

    trial = await desk.set_up(build)
    await desk.knows(trial.customer_id)
    return trial


async def test_a_serial_number_is_validated_then_activated(desk: Desk) -> None:
    """LIC-07, rule 11: two requests, and a third changes nothing."""
    code = await desk.set_up(a_serial)

    validated = await desk.post("/v1/programmes", {"serial_number": code.lower()})
    activated = await desk.post(f"/v1/programmes/{validated.json()['id']}/activate", if_match=validated.headers["etag"])
    again = await desk.post(f"/v1/programmes/{validated.json()['id']}/activate", if_match=activated.headers["etag"])

    assert (validated.status_code, validated.json()["status"]) == (201, "validated")
    assert (activated.status_code, activated.json()["status"]) == (200, "active")
    assert again.json() == activated.json()
    assert [one["status"] for one in (await desk.get("/v1/programmes")).json()["items"]] == ["active"]


async def test_activating_alone_is_refused(desk: Desk) -> None:
    """LIC-07, rule 11."""
    refused = await desk.post(f"/v1/programmes/{new_id()}/activate", if_match='"1"')

    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (404, "programme_not_found", "LIC-07")


async def test_activating_says_what_it_has_seen(desk: Desk) -> None:
    assert (await desk.post(f"/v1/programmes/{new_id()}/activate")).status_code == 428


async def test_the_capabilities_say_what_a_plain_reseller_may(desk: Desk) -> None:
    """LIC-05, LIC-06, C-7: every decision with rule, policy version and remedy (BEY-04)."""
    answer = (await desk.get("/v1/capabilities")).json()

    allowed = {one["action"]: one["allowed"] for one in answer["items"]}
    assert answer["standing"] == "none"
    assert allowed == {"set_up_trial": True, "set_up_paid": False, "monitor": True, "convert_trial": False, "manage": True}
    convert = next(one for one in answer["items"] if one["action"] == "convert_trial")
    assert (convert["rule"], convert["policy_version"]) == ("C-7", "1")
    assert convert["remedy"]


async def test_the_programme_opens_every_action(desk: Desk, trial: Subscription) -> None:
    """LIC-05, LIC-06."""
    answer = (await desk.get("/v1/capabilities")).json()

    assert (answer["standing"], {one["allowed"] for one in answer["items"]}) == ("service_provider", {True})


async def test_the_offers_say_how_long_a_trial_lasts(desk: Desk) -> None:
    """CUS-16: shown before submit; LIC-01."""
    await desk.set_up(lambda tx: an_offer(tx, code="sep-cloud"))
    await desk.set_up(lambda tx: an_offer(tx, code="old", status="withdrawn"))

    offers = (await desk.get("/v1/offers")).json()["items"]
    all_offers = (await desk.get("/v1/offers", withdrawn="true")).json()["items"]

    assert [(one["code"], one["trial"]["duration"], one["trial"]["seat_cap"]) for one in offers] == [("sep-cloud", "P60D", 50)]
    assert [one["code"] for one in all_offers] == ["old", "sep-cloud"]


async def test_an_entitlement_shows_what_is_left(desk: Desk, trial: Subscription) -> None:
    """LIC-14: serial number, type, used and capacity, time remaining, action."""
    row = (await desk.get(f"/v1/customers/{trial.customer_id}/entitlements")).json()["items"][0]

    assert row["serial_number"] == trial.serial_number
    assert (row["licence_type"], row["used"], row["capacity"]) == ("trial", 0, 10)
    assert row["time_remaining"] == {"text": "60 days, until 2026-03-06", "expires_on": "2026-03-06", "days": 60}
    assert [(one["action"], one["allowed"]) for one in row["actions"]] == [("convert_trial", True)]


async def test_a_trial_is_converted_as_previewed(desk: Desk, trial: Subscription) -> None:
    """LIC-11, BEY-05, LIC-14: and then the entitlement says Auto-renew."""
    path = f"/v1/subscriptions/{trial.id}"
    shown = (await desk.post(f"{path}/convert/preview", {"quantity": 12})).json()
    seen = (await desk.get(path)).headers["etag"]

    converted = await desk.post(f"{path}/convert", {"preview_token": shown["preview_token"]}, if_match=seen)

    assert (converted.status_code, converted.json()["status"], converted.json()["seats_bought"]) == (200, "active", 12)
    lines = (await desk.get("/v1/lines", subscription_id=trial.id)).json()["items"]
    assert [(one["amount"], one["currency"], one["reason"]) for one in lines] == [("54.00", "EUR", "conversion")]
    row = (await desk.get(f"/v1/customers/{trial.customer_id}/entitlements")).json()["items"][0]
    assert (row["licence_type"], row["time_remaining"]["text"], row["actions"]) == ("paid", "Auto-renew", [])


async def test_the_same_key_is_answered_again_and_another_call_is_refused(desk: Desk, trial: Subscription) -> None:
    """LIC-11: a conversion that is asked for twice happens once."""
    path = f"/v1/subscriptions/{trial.id}/convert"

    first, replayed = [await desk.post(path, if_match='"1"', idempotency_key="once") for _ in range(2)]
    another = await desk.post(path, if_match='"1"')

    assert (first.status_code, replayed.content) == (200, first.content)
    assert (another.status_code, another.json()["code"]) == (409, "not_a_trial")
    assert len((await desk.get("/v1/lines")).json()["items"]) == 1


async def test_converting_needs_the_permission_and_the_level(desk: Desk, trial: Subscription) -> None:
    """CUS-85, CUS-86: No access means absent."""
    partner_id = desk.principal.partner_id
    clerk = await desk.newcomer(permissions=[], partner_id=partner_id)
    reader = await desk.newcomer(level="read", partner_id=partner_id)
    outsider = await desk.newcomer(level="none", partner_id=partner_id)
    path = f"/v1/subscriptions/{trial.id}/convert"

    refusals = [(await who.post(path, if_match='"1"')).json()["code"] for who in (clerk, reader, outsider)]

    assert refusals == ["not_allowed", "read_only_access", "subscription_not_found"]
    assert (await outsider.get("/v1/subscriptions")).json()["items"] == []
    assert (await outsider.get(f"/v1/customers/{trial.customer_id}/entitlements")).status_code == 404


async def test_another_partner_sees_none_of_it(desk: Desk, trial: Subscription) -> None:
    stranger = await desk.newcomer()

    for path in (f"/v1/subscriptions/{trial.id}", f"/v1/customers/{trial.customer_id}/provisioning"):
        assert (await stranger.get(path)).status_code == 404
    for path in ("/v1/subscriptions", "/v1/programmes", "/v1/lines"):
        assert (await stranger.get(path)).json()["items"] == []
    assert (await stranger.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"')).status_code == 404


async def test_subscriptions_are_listed_page_by_page(desk: Desk) -> None:
    customer_id = await desk.knows(await desk.set_up(a_customer))
    ids = [(await desk.set_up(lambda tx: a_trial(tx, customer_id=customer_id))).id for _ in range(3)]

    first = (await desk.get("/v1/subscriptions", customer_id=customer_id, status="trial", limit=2)).json()
    second = (await desk.get("/v1/subscriptions", customer_id=customer_id, status="trial", limit=2, cursor=first["next"])).json()

    assert {UUID(one["id"]) for one in first["items"] + second["items"]} == set(ids)
    assert (len(first["items"]), second["next"]) == (2, None)
    assert (await desk.get("/v1/subscriptions", cursor="nonsense")).status_code == 400
    assert (await desk.get("/v1/subscriptions", status="asleep")).status_code == 422


@pytest.mark.parametrize("body", [{"quantity": 0}, {"quantity": "10"}, {"quantity": 2**63}, {"seats": 1}, {"preview_token": 7}])
async def test_a_body_that_makes_no_sense_is_refused_whole(desk: Desk, trial: Subscription, body: dict[str, object]) -> None:
    refused = await desk.post(f"/v1/subscriptions/{trial.id}/convert", body, if_match='"1"')

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


async def test_a_customers_user_sees_its_own_entitlements_and_nobody_elses(desk: Desk, trial: Subscription) -> None:
    """LIC-14: without actions, which are the partner's."""
    other = await desk.knows((await desk.set_up(a_trial)).customer_id)
    user = await desk.portal(trial.customer_id)

    rows = (await user.get(f"/v1/customers/{trial.customer_id}/entitlements")).json()["items"]

    assert [(row["serial_number"], row["actions"]) for row in rows] == [(trial.serial_number, [])]
    assert [one["id"] for one in (await user.get("/v1/subscriptions")).json()["items"]] == [str(trial.id)]
    assert (await user.get(f"/v1/customers/{other}/entitlements")).status_code == 404
    assert (await user.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"')).status_code == 403


async def test_an_operator_ends_a_programme_in_the_partners_name(desk: Desk, trial: Subscription) -> None:
    """C-10: for one of the known reasons, which is kept for ever; then nothing paid is given any more."""
    operator, stranger = await desk.operator(), await desk.newcomer()
    programme = (await operator.get("/v1/programmes")).json()["items"][0]
    path, body = f"/v1/programmes/{programme['id']}/end", {"reason": "contract_ended"}

    refused = await desk.post(path, body, if_match='"2"')
    in_prose = await operator.post(path, {"reason": "Grace of Hafen IT left"}, if_match='"2"')
    elsewhere = await operator.post(path, body, if_match='"2"', partnerdeck_acting_as=str(stranger.principal.partner_id))
    nowhere = await operator.post(f"/v1/programmes/{new_id()}/end", body, if_match='"2"')
    ended = await operator.post(path, body, if_match='"2"')
    converting = await desk.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"')

    assert refused.json()["code"] == "wrong_principal"
    assert in_prose.json()["code"] == "invalid"
    assert [one.json()["code"] for one in (elsewhere, nowhere)] == ["programme_not_found"] * 2
    assert (ended.status_code, ended.json()["status"]) == (200, "ended")
    assert (converting.status_code, converting.json()["code"]) == (403, "no_programme")
