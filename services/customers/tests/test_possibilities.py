"""What may be done with a customer is said before it is tried, by the same decision that the verbs go by (CUS-35, CUS-64, GW-10, C-6)."""

from typing import Any
from uuid import UUID

import pytest

from chassis_testing.views import fitted
from customers.possibilities import ActionsView, FieldsView
from customers_testing.builders import DENIED
from customers_testing.http import OPERATOR, Web, a_body, as_owner

READ_ONLY = "update roles set permissions = '{}', all_customers = 'read', default_level = 'read' where partner_id = $1"
HIDDEN = "update roles set all_customers = 'none', default_level = 'none' where partner_id = $1"


async def a_customer(partner: Web, **body: Any) -> str:
    answer = await partner.post("/v1/customers", a_body(**body))
    assert answer.is_success, answer.text
    return str(answer.headers["location"])


async def decisions(web: Web, customer: str) -> dict[str, dict[str, Any]]:
    answer = await web.get(f"{customer}/actions")
    assert answer.is_success, answer.text
    fitted(ActionsView, answer.content)
    return {one["action"]: one for one in answer.json()["items"]}


async def whose(web: Web) -> str:
    return str((await web.get("/v1/me")).json()["partner"]["id"])


def refusals(said: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: one["code"] for name, one in said.items() if not one["allowed"]}


async def test_an_administrator_may_do_what_the_accounts_type_and_its_programme_offer(web: Web) -> None:
    """CUS-35, CUS-64, GW-10: with the rule, the policy, the reason and the remedy of each that is shut."""
    partner = await web.a_partner()

    said = await decisions(partner, await a_customer(partner))

    assert refusals(said) == {
        "replace_first_address": "not_temporary",
        "activate_product": "no_programme",
        "assign_template": "not_offered",
        "deploy_policy": "not_offered",
        "update_firmware": "not_offered",
        "renew_licences": "not_offered",
        "enable": "customer_not_disabled",
        "restore": "not_recoverable",
    }
    assert {"view_profile", "edit", "activate_trial", "launch_console", "deploy_products", "unlink", "delete"} <= set(said)
    template = said["assign_template"]
    assert (template["rule"], template["policy_version"]) == ("CUS-64", "1")
    assert "licensing_platform" in template["reason"]
    assert template["remedy"]


async def test_the_other_type_of_account_has_the_other_actions(web: Web) -> None:
    """CUS-64."""
    partner = await web.a_partner()

    said = await decisions(partner, await a_customer(partner, account_type="licensing_platform"))

    assert said["delete"]["code"] == "not_offered"
    assert all(said[name]["allowed"] for name in ("assign_template", "deploy_policy", "update_firmware", "renew_licences"))


async def test_another_matrix_offers_otherwise(web: Web) -> None:
    """CUS-64, BEY-04: the matrix is a document that the operator publishes."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = await a_customer(partner)
    matrix = {"actions": {"unlink": {"account_types": ["licensing_platform"], "rule": "C-2"}}}

    published = await operator.post("/v1/policies/customers/capability_matrix", matrix, if_match='"1"')

    assert published.status_code == 201, published.text
    said = await decisions(partner, customer)
    assert (said["unlink"]["code"], said["unlink"]["policy_version"]) == ("not_offered", "2")
    assert said["assign_template"]["allowed"]


async def test_a_programme_opens_what_it_grants(web: Web) -> None:
    """GW-10, LIC-06."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    granted = "insert into programmes values ($1, $2, 1, 'active', '{set_up_paid}')"
    await as_owner(web, granted, await whose(partner), customer.rpartition("/")[2])

    assert (await decisions(partner, customer))["activate_product"]["allowed"]


async def test_the_console_is_for_whom_the_partner_manages(web: Web) -> None:
    """CUS-51, CUS-54."""
    partner = await web.a_partner()

    said = await decisions(partner, await a_customer(partner, management_type="customer_managed"))

    assert (said["launch_console"]["code"], said["launch_console"]["rule"]) == ("not_offered", "CUS-54")


async def test_who_only_reads_is_offered_nothing_that_changes(web: Web) -> None:
    """GW-10, CUS-85, CUS-89."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    await as_owner(web, READ_ONLY, await whose(partner))

    said = await decisions(partner, customer)

    assert [name for name, one in said.items() if one["allowed"]] == ["view_profile"]
    assert said["edit"]["code"] == "read_only_access"
    assert (said["unlink"]["code"], said["unlink"]["rule"]) == ("not_allowed", "CUS-86")


async def test_who_does_not_see_a_customer_is_told_nothing_about_it(web: Web) -> None:
    """GW-10, CUS-85."""
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = await a_customer(partner)
    await as_owner(web, HIDDEN, await whose(partner))

    for somebody in (partner, stranger):
        for what in ("actions", "fields"):
            answer = await somebody.get(f"{customer}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")


async def test_hidden_customers_are_in_no_count(web: Web) -> None:
    """CUS-33, CUS-85."""
    partner = await web.a_partner()
    await a_customer(partner)
    shown = (await partner.get("/v1/customer-facets", management_type="co_managed")).json()
    await as_owner(web, HIDDEN, await whose(partner))

    hidden = (await partner.get("/v1/customer-facets")).json()

    assert (shown["total"], hidden["total"], hidden["offers"]) == (1, 0, {})
    assert (await partner.get("/v1/customers", tag="x", colour="red")).status_code == 422


async def test_while_a_customer_is_held_nothing_is_begun_with_it(web: Web) -> None:
    """CUS-13; the operator decides, and is shown that it may."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = await a_customer(partner, company=a_body()["company"] | {"name": DENIED})

    partners, operators = await decisions(partner, customer), await decisions(operator, customer)

    assert partners["activate_trial"]["code"] == "status_forbids"
    assert partners["edit"]["allowed"]
    assert operators["clear_review"]["allowed"]
    assert "clear_review" not in partners
    assert "activate_trial" not in operators


@pytest.mark.parametrize(
    ("who", "editable"),
    [
        ("partner", {"/company/name", "/company/phone", "/unmanaged_macs_allowed"}),
        ("customer", {"/contact/name", "/contact/phone", "/contact/language", "/contact/time_zone", "/unmanaged_macs_allowed"}),
        ("operator", {"/company/name", "/contact/email", "/unmanaged_macs_allowed"}),
    ],
)
async def test_each_is_told_which_fields_it_may_change(web: Web, who: str, editable: set[str]) -> None:
    """C-6, CUS-40, CUS-41: the policy's version is said with them."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    asker = {"partner": partner, "customer": None, "operator": await web.sign_in(OPERATOR)}[who] or await web.invited("ada@mueller.example")

    answer = await asker.get(f"{customer}/fields")

    fitted(FieldsView, answer.content)
    said = {one["field"]: one["editable"] for one in answer.json()["items"]}
    opened = {field for field, may in said.items() if may}
    assert editable <= opened
    assert ("/contact/email" in opened) == (who == "operator")
    assert ("/company/name" in opened) == (who != "customer")
    assert answer.json()["policy_version"] == "1"
    assert all(one["code"] == "not_editable" and one["remedy"] for one in answer.json()["items"] if not one["editable"])


async def test_a_customers_own_user_changes_what_is_opened_to_it(web: Web) -> None:
    """CUS-41, C-6: and is not shown what is its partner's affair."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    own = await web.invited("ada@mueller.example")

    changed = await own.patch(customer, {"contact": {"name": "Ada King"}, "unmanaged_macs_allowed": True}, if_match='"1"')
    refused = await own.patch(customer, {"company": {"city": "Bremen"}}, if_match='"2"')

    assert changed.status_code == 200, changed.text
    assert (changed.json()["contact"]["name"], changed.json()["unmanaged_macs_allowed"]) == ("Ada King", True)
    assert not {"products", "tags", "review_reasons"} & set(changed.json())
    assert (refused.status_code, refused.json()["code"]) == (403, "not_editable")


async def test_a_customers_own_user_is_screened_like_everybody(web: Web) -> None:
    """CUS-13."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    own = await web.invited("ada@mueller.example")

    held = await own.patch(customer, {"contact": {"name": DENIED}}, if_match='"1"')

    assert (held.status_code, held.json()["status"]) == (200, "pending_review")


async def test_a_customers_own_user_changes_no_other_customer(web: Web) -> None:
    """CUS-85."""
    partner = await web.a_partner()
    await a_customer(partner)
    other = await a_customer(partner, name="Berg Bau", domain="bergbau.example")
    own = await web.invited("ada@mueller.example")

    answer = await own.patch(other, {"unmanaged_macs_allowed": True}, if_match='"1"')

    assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")


async def test_details_are_changed_with_the_version_that_was_seen(web: Web) -> None:
    """CUS-39: what is wrong with the body is said at once, with pointers."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    bremen = {"company": {"city": "Bremen"}}

    assert (await partner.patch(customer, bremen)).status_code == 428
    assert (await partner.patch(customer, bremen, if_match='"7"')).status_code == 412
    shapeless = await partner.patch(customer, {"company": {"name": None, "country": "XX", "colour": "red"}}, if_match='"1"')
    assert {one["pointer"] for one in shapeless.json()["errors"]} == {"/company/name", "/company/country", "/company/colour"}
    changed = await partner.patch(customer, bremen, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"], changed.json()["company"]["city"]) == (200, '"2"', "Bremen")
    assert (await partner.get(customer)).json() == changed.json()


async def test_who_only_reads_changes_nothing(web: Web) -> None:
    """CUS-85."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    await as_owner(web, READ_ONLY, await whose(partner))

    for seen in ({"if_match": '"1"'}, {}):
        answer = await partner.patch(customer, {"company": {"city": "Bremen"}}, **seen)
        assert (answer.status_code, answer.json()["code"]) == (403, "read_only_access")
    assert await as_owner(web, "select count(*) from audit where outcome = 'denied' and code = 'read_only_access'") == 2


async def test_a_change_is_audited_field_by_field(web: Web) -> None:
    """CUS-39, GW-11."""
    partner = await web.a_partner()
    customer = await a_customer(partner)

    await partner.patch(customer, {"unmanaged_macs_allowed": True}, if_match='"1"')

    fields = "select fields::text from audit where 'unmanaged_macs_allowed' = any(fields)"
    assert "unmanaged_macs_allowed" in str(await as_owner(web, fields))


async def test_a_customers_data_stay_in_the_region_that_was_chosen(web: Web) -> None:
    """MKT-03: one that the installation serves, told with everything, and fixed from then on."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    regions = {"regions": ["default", "eu"]}
    assert (await operator.post("/v1/policies/customers/residency", regions, if_match='"1"')).status_code == 201

    customer = await a_customer(partner, data_region="eu")
    refused = await partner.patch(customer, {"data_region": "default"}, if_match='"1"')
    await partner.patch(customer, {"company": {"city": "Bremen"}}, if_match='"1"')

    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/data_region", "unknown_member")]
    assert (await partner.get(customer)).json()["data_region"] == "eu"
    elsewhere = "select count(*) from outbox where entity = $1 and headers::text not like '%\"eu\"%'"
    assert await as_owner(web, elsewhere, UUID(customer.rpartition("/")[2])) == 0
