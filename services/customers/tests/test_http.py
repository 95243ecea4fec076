"""The service over HTTP: who may, what is answered, and that the same request twice is one change."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.http.lists import Listing
from chassis.http.views import View
from chassis_testing.views import fitted
from customers.customer_list import CustomerListView, CustomerView
from customers.eula import EulaView
from customers.me import MeView
from customers.partners import PartnerView
from customers.reviews import ReviewView
from customers.role_list import RoleView
from customers.users import UserView
from customers_testing.builders import DENIED
from customers_testing.http import OPERATOR, Web, a_body, as_owner

TERMS = {"version": "2027-01", "title": "Terms", "text": "The new ones.", "url": "https://vendor.example/terms"}
DENIED_COMPANY = a_body()["company"] | {"name": DENIED}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_partner_creates_a_customer_and_finds_it(web: Web) -> None:
    """CUS-01, CUS-02, CUS-29, CUS-31."""
    partner = await web.a_partner()

    created = await partner.post("/v1/customers", a_body())

    assert created.status_code == 201, created.text
    shown = await partner.get(created.headers["location"])
    assert shown.json() == created.json()
    assert shown.headers["etag"] == created.headers["etag"] == '"1"'
    listed = (await partner.get("/v1/customers", q="müller")).json()
    assert [one["id"] for one in listed["items"]] == [created.json()["id"]]


async def test_what_is_wrong_is_said_with_pointers(web: Web) -> None:
    """CUS-21, CUS-23, CUS-26: also by the shape of the body alone."""
    partner = await web.a_partner()

    wrong = await partner.post("/v1/customers", a_body(domain="www.mueller.example", data_region="moon"))
    assert code(wrong) == (422, "not_acceptable")
    assert {one["pointer"]: one["code"] for one in wrong.json()["errors"]} == {
        "/domain": "www_not_allowed",
        "/data_region": "unknown_region",
    }
    not_accepted = await partner.post("/v1/customers", a_body(eula={"version": "1", "accepted": False}, products=[]))
    assert {one["pointer"] for one in not_accepted.json()["errors"]} == {"/eula/accepted", "/products"}


async def test_the_licence_terms_in_force_are_shown_and_no_others_accepted(web: Web) -> None:
    """CUS-26: a new version asks for a new acceptance from then on."""
    partner = await web.a_partner()
    await as_owner(web, "insert into policies (kind, version, document) values ('eula', 2, $1)", json.dumps(TERMS))

    assert (await partner.get("/v1/eula")).json() == TERMS
    refused = await partner.post("/v1/customers", a_body())
    assert code(refused) == (422, "eula_not_in_force")
    assert refused.json()["errors"][0]["pointer"] == "/eula/version"
    assert "GET /v1/eula" in refused.json()["remedy"]
    accepted = await partner.post("/v1/customers", a_body(eula={"version": TERMS["version"], "accepted": True}))
    assert accepted.status_code == 201


async def test_a_product_serial_number_stands_in_for_a_programme_where_the_policy_says_so(web: Web) -> None:
    """CUS-17, LIC-10."""
    partner = await web.a_partner()
    policy = {"paid_without_programme": "product_serial"}
    await as_owner(web, "insert into policies (kind, version, document) values ('provisioning', 2, $1)", json.dumps(policy))
    paid = {"offer": "endpoint-cloud", "kind": "paid", "quantity": 5}

    refused = await partner.post("/v1/customers", a_body(products=[paid]))
    assert code(refused) == (422, "serial_required")
    assert (refused.json()["rule"], refused.json()["policy_version"]) == ("LIC-10", "2")
    accepted = await partner.post("/v1/customers", a_body(products=[paid | {"answers": {"serial_number": "SN-1"}}]))
    assert accepted.status_code == 201


async def test_the_same_key_answers_the_same_and_another_body_is_refused(web: Web) -> None:
    partner = await web.a_partner()
    key = str(uuid4())

    first = await partner.post("/v1/customers", a_body(), idempotency_key=key)
    again = await partner.post("/v1/customers", a_body(), idempotency_key=key)
    other = await partner.post("/v1/customers", a_body("Berg Bau", "berg.example"), idempotency_key=key)

    assert (again.status_code, again.content) == (201, first.content)
    assert code(other) == (422, "idempotency_key_reused")
    assert len((await partner.get("/v1/customers")).json()["items"]) == 1


async def test_a_refusal_is_answered_again_under_its_key(web: Web) -> None:
    partner = await web.a_partner()
    paid = a_body(products=[{"offer": "endpoint-cloud", "kind": "paid", "quantity": 5}])

    answers = [await partner.post("/v1/customers", paid, idempotency_key="once") for _ in range(2)]

    assert [code(answer) for answer in answers] == [(403, "no_programme")] * 2
    assert answers[0].json()["rule"] == "CUS-17"


async def test_a_partner_is_registered_once_under_one_key(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    body = {"company_name": "Berg IT", "country": "DE", "admin": {"name": "Max Berg", "email": "max@berg.example"}}

    answers = [await operator.post("/v1/partners", body, idempotency_key="berg") for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert len([one for one in (await operator.get("/v1/partners")).json()["items"] if one["company_name"] == "Berg IT"]) == 1


async def test_a_stranger_sees_neither_customer_nor_partner_nor_user(web: Web) -> None:
    mine, theirs = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = (await mine.post("/v1/customers", a_body())).json()
    me = (await mine.get("/v1/me")).json()

    assert code(await theirs.get(f"/v1/customers/{customer['id']}")) == (404, "customer_not_found")
    assert (await theirs.get("/v1/customers")).json()["items"] == []
    assert code(await theirs.get(f"/v1/partners/{me['partner']['id']}")) == (404, "partner_not_found")
    assert code(await theirs.get(f"/v1/users/{me['user']['id']}")) == (404, "user_not_found")


async def test_only_the_operator_reviews_and_only_administrators_register_resellers(web: Web) -> None:
    """CUS-13, CUS-69."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body(company=DENIED_COMPANY))).json()
    body = {"company_name": "Berg IT", "country": "DE", "admin": {"name": "Max Berg", "email": "max@berg.example"}}

    assert (await partner.post("/v1/partners", body)).json()["parent_id"] == customer["partner_id"]
    assert code(await partner.get("/v1/reviews")) == (403, "wrong_principal")
    cleared = await partner.post(f"/v1/customers/{customer['id']}/review/clear", if_match='"1"')
    assert code(cleared) == (403, "wrong_principal")
    assert code(await web.get("/v1/customers")) == (401, "token_missing")


async def test_the_operator_lists_what_is_held_and_decides(web: Web) -> None:
    """CUS-13, CUS-14: with the version it has seen."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    held = (await partner.post("/v1/customers", a_body(company=DENIED_COMPANY))).json()
    odd = (await partner.post("/v1/customers", a_body("Berg <Bau>", "berg.example"))).json()
    assert [held["status"], odd["status"]] == ["pending_review"] * 2

    listed = (await operator.get("/v1/reviews")).json()["items"]
    assert [one["customer_id"] for one in listed] == [held["id"], odd["id"]]
    assert "RUe.1" in listed[0]["findings"][0]["detail"]
    clear = f"/v1/customers/{odd['id']}/review/clear"
    assert code(await operator.post(clear)) == (428, "if_match_required")
    assert code(await operator.post(clear, if_match='"9"')) == (412, "stale")
    cleared = await operator.post(clear, if_match=f'"{listed[1]["version"]}"')
    assert (cleared.status_code, cleared.json()["status"], cleared.headers["etag"]) == (200, "active", '"2"')
    rejected = await operator.post(f"/v1/customers/{held['id']}/review/reject", {"reason": "On the list."}, if_match='"1"')
    assert rejected.json()["status"] == "rejected"
    assert (await operator.get("/v1/reviews")).json()["items"] == []
    assert (await partner.get(f"/v1/customers/{odd['id']}")).json()["status"] == "active"


async def test_an_operator_sees_the_customers_of_all_partners(web: Web) -> None:
    for name, domain, theirs in (("Hafen IT", "hafen.example", "one.example"), ("Berg IT", "berg.example", "two.example")):
        await (await web.a_partner(name, domain)).post("/v1/customers", a_body(domain=theirs))

    operator = await web.sign_in(OPERATOR)

    assert len((await operator.get("/v1/customers")).json()["items"]) == 2


async def test_an_operator_changes_a_customer_as_its_partner(web: Web) -> None:
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body())).json()
    tags = f"/v1/customers/{customer['id']}/tags"

    assert code(await operator.put(tags, {"tags": ["gold"]}, if_match='"1"')) == (400, "acting_as_needed")
    tagged = await operator.put(tags, {"tags": ["gold"]}, if_match='"1"', partnerdeck_acting_as=customer["partner_id"])
    assert (tagged.status_code, tagged.json()["tags"]) == (200, ["gold"])


@pytest.mark.parametrize("query", [{"cursor": "nonsense"}, {"sort": "password"}, {"limit": 201}, {"colour": "red"}])
async def test_a_bad_query_is_a_problem(web: Web, query: dict[str, Any]) -> None:
    partner = await web.a_partner()

    answer = await partner.get("/v1/customers", **query)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_bytes_fit_what_the_document_says(web: Web) -> None:
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body(company=DENIED_COMPANY))).json()
    me = (await partner.get("/v1/me")).json()
    said: dict[str, type[View]] = {
        "/v1/customers": Listing[CustomerListView],
        f"/v1/customers/{customer['id']}": CustomerView,
        f"/v1/partners/{me['partner']['id']}": PartnerView,
        "/v1/users": Listing[UserView],
        f"/v1/users/{me['user']['id']}": UserView,
        "/v1/roles": Listing[RoleView],
        "/v1/me": MeView,
        "/v1/reviews": Listing[ReviewView],
        "/v1/partners": Listing[PartnerView],
        "/v1/eula": EulaView,
    }

    for path, view in said.items():
        answer = await (operator if path in {"/v1/reviews", "/v1/partners"} else partner).get(path)
        fitted(view, answer.content)


async def test_a_customers_own_user_is_not_shown_what_is_its_partners_affair(web: Web) -> None:
    """What was asked for, why it was reviewed and how it is tagged stays with the partner."""
    partner = await web.a_partner()
    created = await partner.post("/v1/customers", a_body(tags=["slow to pay"]))
    own = await web.invited("ada@mueller.example")

    shown = await own.get(created.headers["location"])

    assert set(created.json()) - set(shown.json()) == {"products", "rejected_for", "review_reasons", "tags"}
    assert shown.json().items() <= (await partner.get(created.headers["location"])).json().items()
    fitted(CustomerView, shown.content)


async def test_the_document_is_made(web: Web) -> None:
    paths = (await web.get("/openapi.json")).json()["paths"]

    assert {"/v1/sessions", "/v1/me", "/v1/partners", "/v1/customers/{customer_id}/review/clear"} <= set(paths)
