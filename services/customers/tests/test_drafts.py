"""A creation may be begun today and sent next week: what is wrong is said step by step, and it becomes one customer (CUS-20, C-11)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.clock import SystemClock
from chassis.database import WorkerDatabase
from chassis.http.lists import Listing
from chassis_testing.clock import FixedClock
from chassis_testing.views import fitted
from customers import drafts
from customers.drafts import CheckView, DraftListView, DraftView
from customers.routes.sketches import filled
from customers_testing.builders import DENIED
from customers_testing.http import Web, a_body, as_owner

DRAFTS = "/v1/customer-drafts"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def problems(answer: httpx.Response) -> dict[str, tuple[str, str]]:
    """By pointer: the step and the code."""
    assert answer.is_success, answer.text
    return {one["pointer"]: (one["step"], one["code"]) for one in answer.json()["problems"]}


async def begun(partner: Web, body: dict[str, Any] | None = None) -> httpx.Response:
    answer = await partner.post(DRAFTS, body if body is not None else a_body())
    assert answer.status_code == 201, answer.text
    return answer


async def test_anything_may_be_kept_and_what_is_missing_is_said_with_its_step(web: Web) -> None:
    """CUS-20, C-11: products, details, domain and first admin, review."""
    partner = await web.a_partner()

    draft = await begun(partner, {"company": {"name": "Müller & Söhne GmbH"}, "first_admin": {"first_name": "Ada"}})

    assert not draft.json()["ready"]
    assert problems(draft) == {
        "/management_type": ("details", "missing"),
        "/company/address_1": ("details", "missing"),
        "/company/city": ("details", "missing"),
        "/company/country": ("details", "missing"),
        "/contact": ("details", "missing"),
        "/domain": ("domain", "missing"),
        "/first_admin/last_name": ("domain", "missing"),
        "/products": ("products", "missing"),
        "/eula": ("review", "missing"),
    }
    fitted(DraftView, draft.content)
    assert (await partner.get(draft.headers["location"])).json() == draft.json()


async def test_the_rules_of_a_creation_are_said_of_what_is_there_already(web: Web) -> None:
    """CUS-11, CUS-12, CUS-17, CUS-21, CUS-23: beside what only its shape is wrong about."""
    partner = await web.a_partner()
    await partner.post("/v1/customers", a_body())
    wrong = {
        "company": {"name": "MÜLLER, & söhne GmbH", "country": "DE", "phone": "nonsense", "colour": "red"},
        "contact": {"email": "ADA@mueller.example", "time_zone": "Mars/North"},
        "domain": "www.mueller.example",
        "products": [{"offer": "endpoint-cloud", "kind": "gift"}, {"offer": "nonsense", "kind": "trial"}],
        "eula": {"version": "1", "accepted": False},
    }

    said = problems(await begun(partner, wrong))

    assert {pointer: one for pointer, one in said.items() if one[1] != "missing"} == {
        "/company/name": ("details", "duplicate_company"),
        "/company/phone": ("details", "phone"),
        "/company/colour": ("details", "unknown_member"),
        "/contact/email": ("details", "email_taken"),
        "/contact/time_zone": ("details", "time_zone"),
        "/domain": ("domain", "www_not_allowed"),
        "/products/0/kind": ("products", "not_allowed"),
        "/products/1/offer": ("products", "unknown_offer"),
        "/eula/accepted": ("review", "not_allowed"),
        "/eula/version": ("review", "eula_not_in_force"),
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"company": "Müller"},
        {"company": {"name": 7}, "products": "many", "first_admin": [], "tags": {}, "eula": True},
        {"products": [None, 3, {"offer": 5}], "contact": {"email": {}}},
        {"products": [{"offer": "endpoint-cloud", "kind": "trial", "quantity": 0}] * 30, "send_welcome": "yes"},
    ],
)
def test_what_has_no_shape_at_all_is_kept_too(body: dict[str, Any]) -> None:
    """CUS-20: a form is filled in by people."""
    assert filled(body).errors


async def test_a_whole_draft_is_ready_and_warned_about_what_looks_odd(web: Web) -> None:
    """CUS-14: avoid special characters. Whether a name is on a list is not said before it is sent (CUS-13)."""
    partner = await web.a_partner()
    company = a_body()["company"] | {"name": DENIED, "city": "H@mburg"}

    draft = await begun(partner, a_body(company=company))

    assert (draft.json()["ready"], draft.json()["problems"]) == (True, [])
    assert [(one["pointer"], one["code"], one["step"]) for one in draft.json()["warnings"]] == [
        ("/company/city", "special_characters", "details")
    ]


async def test_a_draft_is_filled_in_step_by_step(web: Web) -> None:
    """CUS-20: a merge patch with the version that was seen; a new version each time."""
    partner = await web.a_partner()
    whole = a_body()
    draft = await begun(partner, {"products": whole.pop("products"), "tags": ["north"]})
    path = draft.headers["location"]

    assert code(await partner.patch(path, {"domain": "x"})) == (428, "if_match_required")
    assert code(await partner.patch(path, {"domain": "x"}, if_match='"9"')) == (412, "stale")
    details = {name: whole.pop(name) for name in ("company", "contact", "management_type")} | {"tags": None}
    changed = await partner.patch(path, details, if_match='"1"')
    assert set(problems(changed)) == {"/domain", "/eula"}
    done = await partner.patch(path, whole, if_match=changed.headers["etag"])
    assert (done.json()["ready"], done.headers["etag"]) == (True, '"3"')
    assert done.json()["body"] == a_body()


async def test_a_draft_is_sent_as_a_creation_is(web: Web) -> None:
    """CUS-20: nothing of what was in it stays beside the customer."""
    partner = await web.a_partner()
    draft = await begun(partner)
    path = draft.headers["location"]

    sent = await partner.post(f"{path}/submit", if_match='"1"')

    assert sent.status_code == 201, sent.text
    assert (await partner.get(sent.headers["location"])).json() == sent.json()
    assert sent.json()["company"]["name"] == "Müller & Söhne GmbH"
    assert code(await partner.get(path)) == (404, "draft_not_found")
    assert (await partner.get(DRAFTS)).json()["items"] == []
    assert await as_owner(web, "select body::text from customer_drafts") == "{}"


async def test_a_draft_sent_many_times_at_once_is_one_customer(web: Web) -> None:
    """CUS-20."""
    partner = await web.a_partner()
    path = (await begun(partner)).headers["location"]

    answers = await asyncio.gather(*(partner.post(f"{path}/submit", if_match='"1"') for _ in range(20)))

    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await partner.get("/v1/customers")).json()["items"]) == 1


async def test_a_draft_that_was_sent_stays_what_it_became(web: Web) -> None:
    """CUS-20: neither changed nor thrown away, whatever version was seen; sent again, it is the same customer."""
    partner = await web.a_partner()
    path = (await begun(partner)).headers["location"]
    first = await partner.post(f"{path}/submit", if_match='"1"')

    assert code(await partner.patch(path, {"domain": "x"}, if_match="*")) == (409, "draft_sent")
    assert code(await partner.delete(path, if_match="*")) == (409, "draft_sent")

    assert (await partner.post(f"{path}/submit", if_match="*")).json()["id"] == first.json()["id"]


async def test_a_customer_that_is_hidden_is_not_shown_for_its_draft(web: Web) -> None:
    """CUS-85: to whoever sends it again."""
    partner = await web.a_partner()
    path = (await begun(partner)).headers["location"]
    sent = await partner.post(f"{path}/submit", if_match='"1"')
    await as_owner(web, "update roles set all_customers = 'none'")

    again = await partner.post(f"{path}/submit", if_match="*")

    assert sent.status_code == 201
    assert code(again) == (404, "customer_not_found")


async def test_a_draft_is_left_and_resumed_by_another_user(web: Web, clock: FixedClock) -> None:
    """CUS-20, CUS-26: the licence terms were accepted by whoever ticked them, when they were ticked."""
    grace = await web.a_partner()
    bob = await web.a_colleague(grace, "Partner Administrator")
    whole, ticked_at = a_body(), clock.now()
    draft = await begun(grace, {"eula": whole.pop("eula"), "domain": "mueller.example"})
    clock.move(timedelta(minutes=5))
    filled_in = await bob.patch(draft.headers["location"], whole, if_match=draft.headers["etag"])
    assert filled_in.json()["ready"]

    sent = await bob.post(f"{draft.headers['location']}/submit", if_match=filled_in.headers["etag"])

    assert sent.status_code == 201, sent.text
    assert await as_owner(web, "select accepted_at from eula_acceptances") == ticked_at
    whose = "select u.email from eula_acceptances e join users u on u.id = e.accepted_by"
    assert await as_owner(web, whose) == "grace@hafen.example"


async def test_what_refuses_a_creation_refuses_a_draft_and_leaves_it(web: Web) -> None:
    """CUS-20, CUS-23: no partial customer."""
    partner = await web.a_partner()
    half = (await begun(partner, {"domain": "mueller.example"})).headers["location"]
    twin = (await begun(partner)).headers["location"]
    await partner.post("/v1/customers", a_body())

    not_whole = await partner.post(f"{half}/submit", if_match='"1"')
    taken = await partner.post(f"{twin}/submit", if_match='"1"')

    assert code(not_whole) == (422, "draft_not_whole")
    assert "/company" in {one["pointer"] for one in not_whole.json()["errors"]}
    assert code(taken) == (422, "not_acceptable")
    assert len((await partner.get(DRAFTS)).json()["items"]) == 2


async def test_drafts_are_the_partners_and_listed_last_changed_first(web: Web, clock: FixedClock) -> None:
    """CUS-20."""
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    first = await begun(partner)
    await begun(partner, {"company": {"name": "Berg Bau"}})
    clock.move(timedelta(minutes=1))
    await partner.patch(first.headers["location"], {"tags": ["x"]}, if_match='"1"')

    listed = await partner.get(DRAFTS)

    fitted(Listing[DraftListView], listed.content)
    assert [(one["company"], one["ready"]) for one in listed.json()["items"]] == [("Müller & Söhne GmbH", True), ("Berg Bau", False)]
    assert (await stranger.get(DRAFTS)).json()["items"] == []
    for answer in (await stranger.get(first.headers["location"]), await stranger.delete(first.headers["location"], if_match="*")):
        assert code(answer) == (404, "draft_not_found")


async def test_a_draft_is_thrown_away(web: Web) -> None:
    partner = await web.a_partner()
    path = (await begun(partner)).headers["location"]

    assert (await partner.delete(path, if_match='"1"')).status_code == 204

    assert code(await partner.get(path)) == (404, "draft_not_found")


async def test_who_may_add_no_customers_keeps_no_drafts(web: Web) -> None:
    """CUS-86."""
    partner = await web.a_partner()
    me = (await partner.get("/v1/me")).json()["partner"]["id"]
    await as_owner(web, "update roles set permissions = '{}' where partner_id = $1", me)

    for answer in (await partner.post(DRAFTS, {}), await partner.get(DRAFTS), await partner.post("/v1/customer-checks", {})):
        assert code(answer) == (403, "not_allowed")


async def test_a_draft_that_nobody_touches_is_forgotten(web: Web, clock: FixedClock) -> None:
    """CUS-20: after 30 days; one that is changed begins anew."""
    partner = await web.a_partner()
    path = (await begun(partner)).headers["location"]
    await as_owner(web, "update customer_drafts set expires_at = $1", clock.now() - timedelta(seconds=1))

    assert code(await partner.get(path)) == (404, "draft_not_found")
    assert code(await partner.patch(path, {}, if_match="*")) == (404, "draft_not_found")
    worker = WorkerDatabase(web.database, SystemClock())
    async with worker.work() as work:
        assert await drafts.forget_drafts(work.session, clock.now()) == 1
    await worker.close()


async def test_a_draft_is_bounded(web: Web) -> None:
    partner = await web.a_partner()

    assert code(await partner.post(DRAFTS, {"notes": "x" * 41_000})) == (422, "draft_too_large")
    much_to_say = {f"{number:03}{'x' * 290}": None for number in range(120)}
    assert code(await partner.post(DRAFTS, much_to_say, idempotency_key="once")) == (422, "draft_too_large")


async def test_a_form_may_ask_early(web: Web) -> None:
    """CUS-11, CUS-12, CUS-22: by the rules of a creation; what is missing is not missed, and nobody is named."""
    partner, other = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    await partner.post("/v1/customers", a_body())
    asked = {
        "company": {"name": "Muller & Sohne GmbH", "country": "DE"},
        "contact": {"email": "ada@mueller.example"},
        "domain": "bücher.example",
        "first_admin": {"first_name": "Zoë", "last_name": "Ångström"},
    }

    mine, theirs = await partner.post("/v1/customer-checks", asked), await other.post("/v1/customer-checks", asked)

    fitted(CheckView, mine.content)
    assert problems(mine) == {"/company/name": ("details", "duplicate_company"), "/contact/email": ("details", "email_taken")}
    assert problems(theirs) == {"/contact/email": ("details", "email_taken")}
    assert mine.json()["first_admin_email"] == "zoe.angstrom@xn--bcher-kva.example"
    assert "ueller" not in theirs.text


async def test_a_form_that_asks_nothing_is_told_nothing(web: Web) -> None:
    partner = await web.a_partner()

    answer = await partner.post("/v1/customer-checks", {})

    assert answer.json() == {"problems": [], "warnings": [], "first_admin_email": None}


async def test_the_audit_knows_who_changed_a_draft_and_nothing_of_what_is_in_it(web: Web) -> None:
    """CUS-20, C-2: nobody could say later whose data it was, to have it erased with the customer, or because there never was one."""
    partner = await web.a_partner()
    draft = await begun(partner)

    changed = await partner.patch(draft.headers["location"], {"contact": {"name": "Ada King"}}, if_match=draft.headers["etag"])
    await partner.delete(draft.headers["location"], if_match=changed.headers["etag"])

    said = "select string_agg(operation, ' ' order by at, id) from audit where subject_type = 'draft' and 'body' = any(fields)"
    assert str(await as_owner(web, said)).split() == ["drafts_keep", "drafts_change", "drafts_discard"]
    assert await as_owner(web, "select count(*) from audit where subject_id = $1", UUID(draft.json()["id"])) == 3
    assert await as_owner(web, "select count(*) from audit_values where before::text || after::text ~ 'Ada|mueller'") == 0
