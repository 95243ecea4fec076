"""Who manages a customer's product is changed by the customer alone: asked by mail, once, in time (CUS-48 to CUS-53)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.clock import Clock
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.links import link_token
from chassis_testing.clock import FixedClock
from customers import due
from customers_testing.http import LINK_KEY, OPERATOR, Web, a_body, as_owner
from customers_testing.people import a_key, exchanged

RIVALS = 20
EVENTS = "select string_agg(topic, ' ' order by id) from outbox where topic like 'customer.management%'"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


async def a_customer(partner: Web, **more: Any) -> dict[str, Any]:
    answer = await partner.post("/v1/customers", a_body(**more))
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def asked(partner: Web, customer: dict[str, Any], wanted: str = "partner_managed", seen: int | None = None) -> dict[str, Any]:
    path = f"/v1/customers/{customer['id']}"
    version = (await partner.get(path)).headers["etag"] if seen is None else f'"{seen}"'
    answer = await partner.post(f"{path}/management", {"management_type": wanted}, if_match=version)
    assert answer.status_code == 202, answer.text
    consent: dict[str, Any] = answer.json()
    return consent


def token(consent: dict[str, Any]) -> str:
    """What the mail carries: notifications derives it from the consent's id."""
    return link_token(LINK_KEY.encode(), UUID(consent["id"]))


async def answered(web: Web, verdict: str, consent: dict[str, Any]) -> httpx.Response:
    return await web.post(f"/v1/consents/{verdict}", {"token": token(consent)})


async def work_off(web: Web, clock: Clock) -> None:
    worker = WorkerDatabase(web.database, clock)
    working = DueWorker(due.kinds(), worker, clock)
    while await working.work_one():
        pass
    await worker.close()


async def test_nothing_changes_until_the_customer_confirms(web: Web) -> None:
    """CUS-48, CUS-49: from the explicit yes of its contact on, and shown as asked for until then."""
    partner = await web.a_partner()
    customer = await a_customer(partner, management_type="customer_managed")

    consent = await asked(partner, customer)

    pending = (await partner.get(f"/v1/customers/{customer['id']}")).json()
    assert (pending["management_type"], pending["management_wanted"]) == ("customer_managed", "partner_managed")
    assert (consent["state"], consent["scope"]["before"]) == ("requested", "customer_managed")
    assert (await answered(web, "confirm", consent)).status_code == 204
    done = (await partner.get(f"/v1/customers/{customer['id']}")).json()
    assert (done["management_type"], done["management_wanted"]) == ("partner_managed", None)
    assert await as_owner(web, EVENTS) == "customer.management_requested customer.management_changed"


async def test_a_customer_that_declines_is_managed_as_before(web: Web) -> None:
    """Section 10, rule 4."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    consent = await asked(partner, customer)

    assert (await answered(web, "decline", consent)).status_code == 204

    shown = (await partner.get(f"/v1/customers/{customer['id']}")).json()
    assert (shown["management_type"], shown["management_wanted"]) == ("co_managed", None)
    assert await as_owner(web, EVENTS) == "customer.management_requested customer.management_declined"
    assert code(await answered(web, "confirm", consent)) == (409, "consent_settled")


async def test_a_request_that_nobody_answers_expires_and_changes_nothing(web: Web, clock: FixedClock) -> None:
    """Section 10, rule 4: after P90D, as the policy says."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    consent = await asked(partner, customer)
    clock.move(timedelta(days=89))
    await work_off(web, clock)
    assert await as_owner(web, "select state from consents") == "requested"

    clock.move(timedelta(days=1))

    assert code(await answered(web, "confirm", consent)) == (409, "consent_settled")
    await work_off(web, clock)
    assert await as_owner(web, "select management_type || coalesce(management_wanted, '') from customers") == "co_managed"
    assert await as_owner(web, EVENTS) == "customer.management_requested customer.management_expired"


async def test_who_holds_a_temporary_login_does_not_consent(web: Web) -> None:
    """CUS-24, CUS-49: whoever creates a customer chooses it. The contact's link, and a lasting login, still answer."""
    partner = await web.a_partner()
    shadow = {"first_name": "Grace", "last_name": "Hopper", "email": "shadow@elsewhere.example", "temporary": True}
    customer = await a_customer(partner, management_type="customer_managed", first_admin=shadow)
    consent = await asked(partner, customer)
    holder = await web.invited(shadow["email"])
    path = f"/v1/customers/{customer['id']}/consents/{consent['id']}"

    assert code(await holder.post(f"{path}/confirm", {}, if_match='"1"')) == (403, "login_temporary")

    assert (await partner.get(f"/v1/customers/{customer['id']}")).json()["management_type"] == "customer_managed"
    assert (await answered(web, "confirm", consent)).status_code == 204


async def test_a_second_request_takes_the_place_of_the_first(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    first = await asked(partner, customer, "partner_managed")
    second = await asked(partner, customer, "customer_managed")

    refused = await answered(web, "confirm", first)

    assert (code(refused), refused.json()["state"]) == ((409, "consent_settled"), "superseded")
    assert (await answered(web, "confirm", second)).status_code == 204
    assert (await partner.get(f"/v1/customers/{customer['id']}")).json()["management_type"] == "customer_managed"


async def test_of_many_answers_at_once_one_counts(web: Web) -> None:
    """BEY-14: confirm against decline, twenty at once."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    consent = await asked(partner, customer)

    verdicts = ["confirm", "decline"] * (RIVALS // 2)
    answers = await asyncio.gather(*(answered(web, verdict, consent) for verdict in verdicts))

    outcome = Counter(one.status_code for one in answers)
    assert outcome[204] == 1
    assert set(outcome) <= {204, 409}
    won = verdicts[[one.status_code for one in answers].index(204)]
    shown = (await partner.get(f"/v1/customers/{customer['id']}")).json()
    assert shown["management_type"] == ("partner_managed" if won == "confirm" else "co_managed")
    assert await as_owner(web, "select count(*) from consent_entries") == 2


async def test_an_answer_and_the_end_of_its_time_at_once_settle_it_once(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    consent = await asked(partner, await a_customer(partner))
    clock.move(timedelta(days=90))

    await asyncio.gather(answered(web, "confirm", consent), work_off(web, clock), work_off(web, clock))

    assert await as_owner(web, "select string_agg(state, ' ' order by number) from consent_entries") == "requested expired"


async def test_partner_managed_ends_the_customers_own_sign_in(web: Web) -> None:
    """CUS-52, GW-03: and its sessions with it; co-managed lets both in again (CUS-53)."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    ada = await web.invited("ada@mueller.example")
    await answered(web, "confirm", await asked(partner, customer, "partner_managed"))

    assert code(await ada.get("/v1/me")) == (401, "access_ended")
    refused = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": "correct horse battery"})
    assert code(refused) == (403, "partner_managed")
    await answered(web, "confirm", await asked(partner, customer, "co_managed"))
    assert (await (await web.sign_in("ada@mueller.example")).get("/v1/me")).status_code == 200


async def test_a_signed_in_customer_answers_for_itself(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    ada = await web.invited("ada@mueller.example")
    consent = await asked(partner, customer, "customer_managed")
    path = f"/v1/customers/{customer['id']}/consents/{consent['id']}"

    assert code(await partner.post(f"{path}/confirm", {}, if_match="*")) == (403, "wrong_principal")
    assert code(await ada.post(f"{path}/confirm", {})) == (428, "if_match_required")
    assert code(await ada.post(f"{path}/confirm", {}, if_match='"7"')) == (412, "stale")
    confirmed = await ada.post(f"{path}/confirm", {}, if_match=f'"{consent["version"]}"')

    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "granted")
    history = (await ada.get(path)).json()["entries"]
    assert [(one["number"], one["state"], one["evidence"]["by"]) for one in history] == [(1, "requested", "user"), (2, "granted", "user")]
    assert history[1]["evidence"]["user_kind"] == "customer"


@pytest.mark.parametrize(("wanted", "outcome"), [("co_managed", (409, "management_unchanged")), ("nobody", (422, "malformed"))])
async def test_what_is_so_already_or_does_not_exist_is_not_asked_for(web: Web, wanted: str, outcome: tuple[int, str]) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)

    answer = await partner.post(f"/v1/customers/{customer['id']}/management", {"management_type": wanted}, if_match="*")

    assert answer.status_code == outcome[0]
    assert wanted == "nobody" or answer.json()["code"] == outcome[1]


async def test_who_may_ask(web: Web) -> None:
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = await a_customer(partner)
    path, wanted = f"/v1/customers/{customer['id']}/management", {"management_type": "partner_managed"}

    assert code(await partner.post(path, wanted)) == (428, "if_match_required")
    assert code(await partner.post(path, wanted, if_match='"9"')) == (412, "stale")
    assert code(await stranger.post(path, wanted, if_match="*")) == (404, "customer_not_found")
    operator = await web.sign_in(OPERATOR)
    assert code(await operator.post(path, wanted, if_match="*")) == (403, "wrong_principal")
    await as_owner(web, "update roles set all_customers = 'read' where name = 'Partner Administrator'")
    assert code(await partner.post(path, wanted, if_match="*")) == (403, "read_only_access")
    await as_owner(web, "update roles set all_customers = 'none' where name = 'Partner Administrator'")
    assert code(await partner.post(path, wanted, if_match="*")) == (404, "customer_not_found")


async def test_the_same_request_twice_asks_once(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    path = f"/v1/customers/{customer['id']}/management"

    answers = [await partner.post(path, {"management_type": "partner_managed"}, if_match='"1"', idempotency_key="once") for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert await as_owner(web, "select count(*) from consents") == 1


async def test_a_partner_takes_its_question_back(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    consent = await asked(partner, customer)
    path = f"/v1/customers/{customer['id']}/consents/revoke"

    revoked = await partner.post(path, {"kind": "management_change"}, if_match="*")

    assert (revoked.status_code, revoked.json()["management_wanted"]) == (200, None), revoked.text
    assert code(await answered(web, "confirm", consent)) == (409, "consent_settled")
    assert code(await partner.post(path, {"kind": "management_change"}, if_match="*")) == (409, "nothing_to_revoke")


async def test_the_ledger_keeps_who_asked_and_who_answered_and_no_address(web: Web) -> None:
    """BEY-14."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    consent = await asked(partner, customer)
    await answered(web, "confirm", consent)

    (first, second) = (await partner.get(f"/v1/customers/{customer['id']}/consents/{consent['id']}")).json()["entries"]

    assert (first["evidence"]["by"], first["evidence"]["policy"]) == ("user", 1)
    assert second["evidence"] == {"by": "link", "link": consent["id"], "address": first["evidence"]["address"]}
    assert "mueller" not in str(await as_owner(web, "select string_agg(consent_entries::text, ' ') from consent_entries"))
    audited = await as_owner(web, "select string_agg(distinct user_kind, ' ') from audit where operation like 'answers%'")
    assert audited == "service"


async def test_a_customer_that_manages_itself_shows_its_partner_no_account_and_lets_it_change_no_product(
    web: Web,
) -> None:
    """CUS-51, GW-03: who signs in there is its own affair, and so is how its product is set."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    program = await exchanged(web, (await a_key(partner))["secret"])
    customer = await a_customer(partner, account_type="licensing_platform", management_type="customer_managed")
    path = f"/v1/customers/{customer['id']}"

    said = {one["action"]: one for one in (await partner.get(f"{path}/actions")).json()["items"]}

    assert "first_admin" not in customer | (await partner.get(path)).json()
    assert "first_admin" not in (await program.get(path)).json()
    assert "first_admin" in (await operator.get(path)).json()
    for action in ("assign_template", "deploy_policy", "update_firmware"):
        assert (said[action]["code"], said[action]["rule"]) == ("not_offered", "CUS-51")
    assert code(await partner.post(f"{path}/consents/console-launch", if_match="*")) == (409, "not_offered")


async def test_who_is_mailed_is_chosen_at_any_time_and_kept_in_the_ledger(web: Web) -> None:
    """CUS-57, C-8, BEY-14: both by default."""
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = await a_customer(partner)
    path, chosen = f"/v1/customers/{customer['id']}", {"communications_mode": "partner_only"}
    assert customer["communications_mode"] == "both"

    assert code(await partner.put(f"{path}/communications", chosen)) == (428, "if_match_required")
    assert code(await stranger.put(f"{path}/communications", chosen, if_match="*")) == (404, "customer_not_found")
    answer = await partner.put(f"{path}/communications", chosen, if_match='"1"')
    assert (answer.status_code, answer.json()["communications_mode"], answer.headers["etag"]) == (200, "partner_only", '"2"')
    again = await partner.put(f"{path}/communications", chosen, if_match='"2"')
    assert again.headers["etag"] == '"2"'
    await partner.put(f"{path}/communications", {"communications_mode": "both"}, if_match='"2"')

    ledger = (await partner.get(f"{path}/consents", kind="communications")).json()["items"]
    assert [(one["scope"], one["state"]) for one in ledger] == [
        ({"communications_mode": "both"}, "granted"),
        (chosen, "superseded"),
    ]
    assert await as_owner(web, "select count(*) from outbox where topic = 'customer.updated'") == 2


async def test_leave_to_launch_is_asked_for_granted_for_a_time_and_taken_back_by_the_customer(web: Web, clock: FixedClock) -> None:
    """CUS-55, BEY-14."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    path = f"/v1/customers/{customer['id']}"
    asked_for = await partner.post(f"{path}/consents/console-launch", if_match="*")
    assert asked_for.status_code == 202, asked_for.text
    assert (await answered(web, "confirm", asked_for.json())).status_code == 204
    ada = await web.invited("ada@mueller.example")
    (granted,) = (await ada.get(f"{path}/consents")).json()["items"]
    assert (granted["state"], granted["expires_at"]) == ("granted", (clock.now() + timedelta(days=90)).isoformat().replace("+00:00", "Z"))

    revoked = await ada.post(f"{path}/consents/revoke", {"kind": "console_launch"}, if_match="*")

    assert revoked.status_code == 200, revoked.text
    assert "tags" not in revoked.json()
    assert (await partner.get(f"{path}/consents/{granted['id']}")).json()["state"] == "revoked"
    assert code(await ada.post(f"{path}/consents/revoke", {"kind": "console_launch"}, if_match="*")) == (409, "nothing_to_revoke")


async def test_a_customer_takes_back_what_only_its_management_type_allowed(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    ada = await web.invited("ada@mueller.example")
    path = f"/v1/customers/{customer['id']}/consents"

    assert (await ada.post(f"{path}/revoke", {"kind": "console_launch"}, if_match="*")).status_code == 200

    assert [(one["kind"], one["state"]) for one in (await partner.get(path)).json()["items"]] == [("console_launch", "revoked")]


async def test_what_was_granted_for_a_time_ends_with_it(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    asked_for = await partner.post(f"/v1/customers/{customer['id']}/consents/console-launch", if_match="*")
    await answered(web, "confirm", asked_for.json())
    clock.move(timedelta(days=90))

    await work_off(web, clock)

    assert await as_owner(web, "select string_agg(state, ' ' order by number) from consent_entries") == "requested granted expired"


async def test_whoever_asks_is_told_to_say_so_beforehand(web: Web) -> None:
    """CUS-50: the best practice stands where the request is described, and with what a form reads before it asks."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    described = (await web.get("/openapi.json")).json()["paths"]

    for path in ("/v1/customers/{customer_id}/management", "/v1/imports"):
        assert "Tell the customer beforehand that the mail is coming" in described[path]["post"]["description"]
    said = {one["action"]: one["advice"] for one in (await partner.get(f"/v1/customers/{customer['id']}/actions")).json()["items"]}
    imports = (await partner.get("/v1/imports")).json()["advice"]
    assert said["change_management"] == said["request_launch"] == imports
    assert imports.startswith("Tell the customer beforehand that an e-mail is coming")
    assert said["edit"] is None


async def test_what_a_former_contact_was_asked_is_asked_of_the_new_one(web: Web) -> None:
    """CUS-48, CUS-49: the old mail confirms nothing any more."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = await a_customer(partner)
    consent = await asked(partner, customer)
    path = f"/v1/customers/{customer['id']}"
    replaced = {"contact": {"name": "Eva Berg", "email": "eva@mueller.example"}}
    seen = (await partner.get(path)).headers["etag"]
    done = await operator.patch(path, replaced, if_match=seen, partnerdeck_acting_as=customer["partner_id"])
    assert done.status_code == 200, done.text

    assert code(await answered(web, "confirm", consent)) == (409, "consent_settled")

    said = "select convert_from(payload, 'UTF8')::jsonb -> 'ask' ->> 'email' from outbox where topic = 'consent.recorded' order by id desc"
    assert await as_owner(web, said) == "eva@mueller.example"
    again = (await partner.get(f"{path}/consents", state="requested")).json()["items"]
    assert [(one["scope"], one["id"] != consent["id"]) for one in again] == [(consent["scope"], True)]
    assert (await answered(web, "confirm", again[0])).status_code == 204
    assert (await partner.get(path)).json()["management_type"] == "partner_managed"
