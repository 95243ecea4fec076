"""What the operator decides is data: versions are added and never changed, and a refusal names the one that decided (BEY-04)."""

import asyncio
from typing import Any

import httpx
import pytest

from chassis.database import Transaction
from chassis.http.lists import Listing
from chassis.policies import PolicyMissing
from chassis.policies.shown import PolicyView
from chassis_testing.views import fitted
from customers.rules import policies
from customers.rules.identity import IdentityPolicy
from customers.rules.provisioning import ProvisioningPolicy
from customers_testing.http import OPERATOR, Web, a_body, as_owner

IDENTITY = "/v1/policies/customers/identity"
ANY = {"first_admin": "any", "temporary_allowed": False}


async def publish(web: Web, document: Any, path: str = IDENTITY, **headers: str) -> httpx.Response:
    return await web.post(path, document, **({"if_match": '"1"'} | headers))


async def test_a_version_is_added_and_decides_from_then_on(web: Web) -> None:
    partner = await web.a_partner()
    operator = await web.sign_in(OPERATOR)
    foreign = a_body(first_admin={"first_name": "Ada", "last_name": "Lovelace", "email": "ada@elsewhere.example"})
    refused = await partner.post("/v1/customers", foreign)
    assert (refused.status_code, refused.json()["policy_version"]) == (422, "1")

    published = await publish(operator, ANY)

    assert published.status_code == 201, published.text
    shown = published.json()
    assert (shown["version"], shown["in_force"], shown["document"], published.headers["etag"]) == (2, True, ANY, '"2"')
    assert (await partner.get(published.headers["location"])).json() == shown
    created = await partner.post("/v1/customers", foreign)
    assert created.status_code == 201, created.text
    pinned = "select identity_policy_version from customers where id = $1::text::uuid"
    assert await as_owner(web, pinned, created.json()["id"]) == "2"


async def test_every_kind_is_listed_as_it_is_in_force_and_each_version_stays(web: Web) -> None:
    operator, partner = await web.sign_in(OPERATOR), await web.a_partner()
    await publish(operator, ANY)

    listed = await partner.get("/v1/policies/customers")
    old = (await partner.get(IDENTITY, version=1)).json()

    fitted(Listing[PolicyView], listed.content)
    in_force = {one["kind"]: one["version"] for one in listed.json()["items"]}
    assert in_force["identity"] == 2
    assert in_force.keys() >= {"eula", "identity", "provisioning", "residency"}
    assert (old["version"], old["in_force"]) == (1, False)
    assert old["document"] == {"first_admin": "same_domain", "temporary_allowed": True}
    assert "first_admin" in old["takes"]["properties"]
    for missing in ("/v1/policies/customers/weather", f"{IDENTITY}?version=3"):
        answer = await partner.client.get(missing, headers={"authorization": f"Bearer {partner.token}"})
        assert (answer.status_code, answer.json()["code"]) == (404, "policy_not_found")
    for nothing in (0, 2**63):
        assert (await partner.get(IDENTITY, version=nothing)).status_code == 422


async def test_a_document_is_refused_with_everything_that_is_wrong(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)

    refused = await publish(operator, {"first_admin": "nobody", "colour": "red"})

    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (422, "policy_refused", "BEY-04")
    assert {one["pointer"]: one["code"] for one in refused.json()["errors"]} == {
        "/first_admin": "not_allowed",
        "/temporary_allowed": "missing",
        "/colour": "unknown_member",
    }


async def test_only_operators_publish_and_only_over_what_they_have_seen(web: Web) -> None:
    operator, partner = await web.sign_in(OPERATOR), await web.a_partner()

    assert (await publish(partner, ANY)).json()["code"] == "wrong_principal"
    assert (await operator.post(IDENTITY, ANY)).status_code == 428
    assert (await publish(operator, ANY, if_match='"7"')).status_code == 412
    assert (await publish(operator, ANY, "/v1/policies/customers/weather")).json()["code"] == "policy_not_found"


async def test_of_many_who_publish_at_once_one_does(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)

    answers = await asyncio.gather(*(publish(operator, ANY) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 19]
    assert await as_owner(web, "select count(*) from policies where kind = 'identity'") == 2


async def test_the_audit_has_both_documents(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    await publish(operator, ANY)

    values = "select v.before::text || v.after::text from audit a join audit_values v on v.audit_id = a.id where a.subject_type = 'policy'"
    said = str(await as_owner(web, values))
    assert "same_domain" in said
    assert '"any"' in said


async def test_a_published_version_cannot_be_changed_by_any_request(web: Web) -> None:
    rights = "select bool_or(has_table_privilege($1, 'policies', one)) from unnest(array['update', 'delete']) one"

    assert [await as_owner(web, rights, f"customers_{role}") for role in ("partner", "operator", "worker")] == [False] * 3


async def test_a_pinned_version_is_read_as_it_was(tx: Transaction) -> None:
    provisioning = await policies.in_force(tx, ProvisioningPolicy)

    assert (provisioning.version, provisioning.policy.paid_without_programme) == (1, "no")
    assert await policies.at(tx, IdentityPolicy, 1) == IdentityPolicy(first_admin="same_domain", temporary_allowed=True)
    with pytest.raises(PolicyMissing):
        await policies.at(tx, IdentityPolicy, 9)
