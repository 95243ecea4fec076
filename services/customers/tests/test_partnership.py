"""Partners below partners: listed, edited, put to rest and closed to those above (CUS-69, CUS-70, CUS-73, CUS-74, MKT-05, C-9)."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner

SUPPORT = {"support_url": "https://help.berg.example", "support_phone": "+43 1 2345678"}


async def below(who: Web, name: str, domain: str, **more: Any) -> httpx.Response:
    admin = {"name": "Max Berg", "email": f"max@{domain}", "password": PASSWORD}
    return await who.post("/v1/partners", {"company_name": name, "country": "AT", "admin": admin} | more)


@dataclass(frozen=True, slots=True)
class Tree:
    """Grace's partner, and Max's below it, which has a customer."""

    web: Web
    grace: Web
    max: Web
    id: str
    customer: str

    @property
    def path(self) -> str:
        return f"/v1/partners/{self.id}"

    async def disabled(self, by: Web) -> httpx.Response:
        asked = await by.post(f"{self.path}/disable", {}, if_match="*")
        assert asked.status_code == 428, asked.text
        return await by.post(f"{self.path}/disable", {"confirmation": asked.json()["confirmation"]}, if_match="*")


@pytest.fixture
async def tree(web: Web) -> Tree:
    grace = await web.a_partner()
    made = await below(grace, "Berg IT", "berg.example")
    assert made.status_code == 201, made.text
    max_ = await web.sign_in("max@berg.example")
    customer = await max_.post("/v1/customers", a_body())
    assert customer.status_code == 201, customer.text
    return Tree(web, grace, max_, made.json()["id"], customer.json()["id"])


async def test_a_partner_registers_resellers_below_itself_and_lists_them_apart_from_customers(tree: Tree) -> None:
    """CUS-19, CUS-69: a Channel hosts customers of its own, an Organization is one; CUS-81 for the first user."""
    listed = (await tree.grace.get("/v1/resellers")).json()["items"]

    assert [(one["id"], one["company_name"], one["sandbox"]) for one in listed] == [(tree.id, "Berg IT", False)]
    assert listed[0] == (await tree.grace.get(tree.path)).json() == (await tree.max.get(tree.path)).json()
    assert (await tree.grace.get("/v1/customers")).json()["items"] == []
    assert (await tree.max.get("/v1/resellers")).json()["items"] == []
    assert [one["name"] for one in (await tree.max.get("/v1/me")).json()["roles"]] == ["Partner Administrator"]
    assert (await tree.grace.get("/v1/customers")).status_code == 200
    acting = await tree.web.client.get(
        f"/v1/customers/{tree.customer}", headers={"authorization": f"Bearer {tree.grace.token}", "partnerdeck-acting-as": tree.id}
    )
    assert acting.status_code == 200


async def test_the_tree_is_as_deep_as_the_policy_allows(tree: Tree) -> None:
    """C-9: distributor, partner, sub-partner; what stands below is refused, with the policy's version."""
    third = await below(tree.max, "Tal IT", "tal.example")
    assert third.status_code == 201, third.text
    sub_partner = await tree.web.sign_in("max@tal.example")

    refused = await below(sub_partner, "Too far", "far.example")

    assert (refused.status_code, refused.json()["code"], refused.json()["policy_version"]) == (409, "tree_too_deep", "1")


async def test_a_reseller_is_registered_below_oneself_and_nobody_else(tree: Tree) -> None:
    operator = await tree.web.sign_in(OPERATOR)
    root = (await operator.get("/v1/me")).json()["partner"]["id"]
    bob = await tree.web.a_colleague(tree.grace)

    assert (await below(tree.max, "Beside", "beside.example", parent_id=root)).json()["code"] == "parent_not_found"
    assert (await below(bob, "Bob IT", "bob.example")).json()["code"] == "not_allowed"


async def test_a_partner_edits_where_its_customers_get_help_and_not_what_it_is_called(tree: Tree) -> None:
    """CUS-73, CUS-74, CUS-75: its name is viewable; what is wrong is said at once; its customers' users see it in their settings."""
    refused = await tree.max.patch(tree.path, {"company_name": "Else", "country": "DE", "time_zone": "UTC"}, if_match="*")
    assert (refused.status_code, refused.json()["code"], refused.json()["policy_version"]) == (403, "not_editable", "1")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/company_name", "/country"]

    before = (await tree.max.get(tree.path)).json()
    changed = await tree.max.patch(tree.path, {"support": SUPPORT, "language": "de", "time_zone": "Europe/Vienna"}, if_match='"1"')

    assert changed.status_code == 200, changed.text
    assert changed.json()["support"] | {"support_phone": "+4312345678"} == changed.json()["support"]
    assert changed.json()["company_name"] == before["company_name"]
    fact = "select convert_from(payload, 'utf8') from outbox where topic = 'partner.updated' and entity = $1"
    assert json.loads(str(await as_owner(tree.web, fact, tree.id))) == {"fields": ["language", "support", "time_zone"]}
    again = await tree.max.patch(tree.path, {"support": SUPPORT}, if_match='"2"')
    assert again.headers["etag"] == '"2"'
    ada = await tree.web.invited("ada@mueller.example")
    assert (await ada.get("/v1/me")).json()["partner"]["support"]["support_url"] == SUPPORT["support_url"]


async def test_support_that_nobody_reaches_is_refused_when_it_is_changed_too(tree: Tree) -> None:
    answer = await tree.max.patch(tree.path, {"support": {"support_url": "javascript://", "support_phone": "ask"}}, if_match="*")

    assert {one["pointer"] for one in answer.json()["errors"]} == {"/support/support_url", "/support/support_phone"}
    assert (await tree.max.patch(tree.path, {})).status_code == 428
    assert (await tree.max.patch(tree.path, {}, if_match='"9"')).status_code == 412


async def test_those_above_edit_a_reseller_with_its_name(tree: Tree) -> None:
    """CUS-69, C-11."""
    operator = await tree.web.sign_in(OPERATOR)
    for who, name in ((tree.grace, "Berg Netze"), (operator, "Berg AG")):
        answer = await who.patch(tree.path, {"company_name": name}, if_match="*")
        assert (answer.status_code, answer.json().get("company_name")) == (200, name)
    stranger = await tree.web.a_partner("Tal IT", "tal.example")
    assert (await stranger.patch(tree.path, {"company_name": "Mine"}, if_match="*")).status_code == 404
    assert (await stranger.get(tree.path)).status_code == 404


async def test_those_above_say_where_a_reseller_is_and_it_only_reads_that(tree: Tree) -> None:
    """CUS-69, CUS-73, C-6, C-11: what is left out stays, null empties; an address has a first line and a city."""
    operator = await tree.web.sign_in(OPERATOR)
    short = await tree.grace.patch(tree.path, {"address": {"region": "W", "website": "a b"}}, if_match="*")
    assert short.status_code == 422
    assert [one["pointer"] for one in short.json()["errors"]] == ["/address/address_1", "/address/city", "/address/website"]
    assert (await tree.grace.patch(tree.path, {"address": {"city": None}}, if_match="*")).status_code == 422

    first = {"address_1": "Bergweg 1", "city": "Wien", "phone": "01 2345678", "website": "berg.example"}
    said = await tree.grace.patch(tree.path, {"address": first}, if_match='"1"')
    changed = await operator.patch(tree.path, {"address": {"address_3": "4. Stock", "phone": None}}, if_match=said.headers["etag"])
    same = await operator.patch(tree.path, {"address": {"city": "Wien"}}, if_match=changed.headers["etag"])

    kept = dict.fromkeys(("address_2", "postal_code", "region")) | first | {"website": "https://berg.example"}
    assert said.json()["address"] == kept | {"address_3": None, "phone": "+4312345678"}
    assert changed.json()["address"] == kept | {"address_3": "4. Stock", "phone": None}
    assert same.headers["etag"] == changed.headers["etag"] == '"3"'
    assert (await tree.max.get(tree.path)).json()["address"] == changed.json()["address"]
    own = await tree.max.patch(tree.path, {"address": {"city": "Graz"}}, if_match="*")
    assert (own.status_code, own.json()["code"], own.json()["errors"][0]["pointer"]) == (403, "not_editable", "/address/city")
    facts = "select json_agg(convert_from(payload, 'utf8')::json -> 'fields') from outbox where topic = 'partner.updated' and entity = $1"
    assert json.loads(str(await as_owner(tree.web, facts, tree.id))) == [["address"], ["address"]]


async def test_a_reseller_is_disabled_after_confirmation_and_nobody_of_it_is_let_in(tree: Tree) -> None:
    """CUS-70: its users' tokens and API keys end with it; its customers stay."""
    role = (await tree.max.get("/v1/roles")).json()["items"][0]["id"]
    key = (await tree.max.post("/v1/api-keys", {"name": "Billing", "role_ids": [role], "scopes": []})).json()["secret"]

    answer = await tree.disabled(tree.grace)

    assert (answer.status_code, answer.json()["status"]) == (200, "disabled")
    assert (await tree.max.get("/v1/me")).json()["code"] == "access_ended"
    assert (await tree.web.post("/v1/sessions", {"email": "max@berg.example", "password": PASSWORD})).json()["code"] == "sign_in_refused"
    assert (await tree.web.post("/v1/tokens", {"api_key": key})).json()["code"] == "sign_in_refused"
    assert await as_owner(tree.web, "select status from customers where id = $1", tree.customer) in {"active", "pending_review"}
    lanes = "select max(lane) from outbox where topic in ('partner.disabled', 'partner.changed') and entity = $1"
    assert await as_owner(tree.web, lanes, tree.id) == 0


async def test_the_users_of_a_disabled_resellers_customers_go_on_as_before(tree: Tree) -> None:
    """CUS-70: its customers stay as they are; whoever is signed in there goes on, and the others sign in."""
    ada = await tree.web.invited("ada@mueller.example")

    await tree.disabled(tree.grace)

    assert (await ada.get(f"/v1/customers/{tree.customer}")).status_code == 200
    assert (await (await tree.web.sign_in("ada@mueller.example")).get("/v1/me")).status_code == 200


async def test_what_is_confirmed_is_what_is_done(tree: Tree) -> None:
    asked = await tree.grace.post(f"{tree.path}/disable", {}, if_match="*")
    assert (asked.status_code, asked.json()["code"]) == (428, "confirmation_needed")
    assert {one["code"] for one in asked.json()["consequences"]} == {"users_shut_out", "customers_stay"}
    await tree.web.a_colleague(tree.max, email="bob@berg.example")

    late = await tree.grace.post(f"{tree.path}/disable", {"confirmation": asked.json()["confirmation"]}, if_match="*")

    assert (late.status_code, late.json()["code"]) == (412, "confirmation_outdated")


async def test_what_disabling_a_reseller_does_is_said_before_and_confirmed(tree: Tree) -> None:
    """GW-14: whoever could not disable it is refused the look for the same reason; nothing changes by looking."""
    before = (await tree.grace.get(tree.path)).json()
    said = await tree.grace.post(f"{tree.path}/disable/preview")

    assert [one["code"] for one in said.json()["consequences"]] == ["users_shut_out", "customers_stay"]
    assert (await tree.grace.get(tree.path)).json() == before
    assert (await tree.max.post(f"{tree.path}/disable/preview")).json()["code"] == "not_below"
    stranger = await tree.web.a_partner("Tal IT", "tal.example")
    assert (await stranger.post(f"{tree.path}/disable/preview")).status_code == 404
    done = await tree.grace.post(f"{tree.path}/disable", {"confirmation": said.json()["confirmation"]}, if_match="*")
    assert (done.status_code, done.json()["status"]) == (200, "disabled")
    operator = await tree.web.sign_in(OPERATOR)
    assert (await operator.post(f"{tree.path}/disable/preview")).json()["code"] == "partner_disabled"


async def test_who_disabled_a_reseller_enables_it_at_any_time_or_somebody_further_up(tree: Tree) -> None:
    """CUS-70."""
    operator = await tree.web.sign_in(OPERATOR)
    for disabler, enabler in ((tree.grace, tree.grace), (tree.grace, operator), (operator, operator)):
        assert (await tree.disabled(disabler)).status_code == 200
        if disabler is operator:
            assert (await tree.grace.post(f"{tree.path}/enable", if_match="*")).json()["code"] == "disabled_further_up"
        enabled = await enabler.post(f"{tree.path}/enable", if_match="*")
        assert (enabled.status_code, enabled.json()["status"]) == (200, "active")
        assert (await tree.web.sign_in("max@berg.example")).token
    assert (await tree.grace.post(f"{tree.path}/enable", if_match="*")).json()["code"] == "partner_active"


async def test_nobody_disables_itself_the_root_or_what_stands_beside_it(tree: Tree) -> None:
    operator = await tree.web.sign_in(OPERATOR)
    root = (await operator.get("/v1/me")).json()["partner"]["id"]
    stranger = await tree.web.a_partner("Tal IT", "tal.example")

    assert (await tree.max.post(f"{tree.path}/disable", {}, if_match="*")).json()["code"] == "not_below"
    assert (await operator.post(f"/v1/partners/{root}/disable", {}, if_match="*")).json()["code"] == "not_below"
    for who in (stranger, tree.max):
        hafen = (await tree.grace.get("/v1/me")).json()["partner"]["id"]
        assert (await who.post(f"/v1/partners/{hafen}/disable", {}, if_match="*")).status_code == 404
    assert (await stranger.post(f"{tree.path}/enable", if_match="*")).status_code == 404


async def test_of_many_who_disable_it_at_once_one_does(tree: Tree) -> None:
    asked = (await tree.grace.post(f"{tree.path}/disable", {}, if_match="*")).json()["confirmation"]

    answers = await asyncio.gather(*(tree.grace.post(f"{tree.path}/disable", {"confirmation": asked}, if_match="*") for _ in range(20)))

    assert [answer.status_code for answer in answers].count(200) == 1
    assert await as_owner(tree.web, "select count(*) from outbox where topic = 'partner.disabled'") == 1


async def test_a_partner_closes_itself_to_those_above_and_only_its_own_hands_open_it(tree: Tree) -> None:
    """MKT-05: acting-as is refused, the operator's disable still works, and those above see that it is closed."""
    operator = await tree.web.sign_in(OPERATOR)
    closed = await tree.max.post(f"{tree.path}/shut-out", if_match='"1"')
    assert (closed.status_code, closed.json()["shut_out"]) == (200, True)
    acting = {"authorization": f"Bearer {tree.grace.token}", "partnerdeck-acting-as": tree.id}

    assert (await tree.web.client.get("/v1/customers", headers=acting)).json()["code"] == "partner_not_found"
    assert (await tree.grace.patch(tree.path, {"company_name": "Mine"}, if_match="*")).status_code == 404
    assert (await tree.grace.post(f"{tree.path}/disable", {}, if_match="*")).status_code == 404
    assert (await tree.grace.post(f"{tree.path}/let-in", if_match="*")).status_code == 404
    assert (await tree.grace.get("/v1/resellers")).json()["items"][0]["shut_out"] is True
    assert (await operator.post(f"{tree.path}/let-in", if_match="*")).json()["code"] == "wrong_principal"

    assert (await tree.disabled(operator)).status_code == 200
    assert (await operator.post(f"{tree.path}/enable", if_match="*")).status_code == 200
    opened = await (await tree.web.sign_in("max@berg.example")).post(f"{tree.path}/let-in", if_match="*")
    assert (opened.status_code, opened.json()["shut_out"]) == (200, False)
    assert (await tree.web.client.get("/v1/customers", headers=acting)).status_code == 200
    denied = "select count(*) from audit where code = 'partner_not_found' and outcome = 'denied'"
    assert int(str(await as_owner(tree.web, denied))) >= 3


async def test_who_acts_for_a_partner_does_not_close_it(tree: Tree) -> None:
    answer = await tree.grace.post(f"{tree.path}/shut-out", if_match="*")

    assert (answer.status_code, answer.json()["code"]) == (403, "own_hands_only")
