"""What would happen by a policy is said beforehand, by the rule that would refuse, and a refusal names rule and version (BEY-04)."""

from typing import Any

import pytest

from chassis.ids import new_id
from customers.rules.policy_kinds import KINDS
from customers.rules.policy_trials import TRIALS
from customers_testing.http import OPERATOR, Web, a_body, as_owner

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str | None]] = {
    "bulk": (
        {"customers": 10, "per_cent": 25, "always": 5},
        {"customers": 5, "of_customers": 5},
        {"customers": 11, "of_customers": 1000},
        "too_far_reaching",
    ),
    "consent": (
        {"request_expires": "P90D", "console_launch": "management_type", "console_launch_lasts": "P30D"},
        {"management_type": "partner_managed"},
        {"management_type": "customer_managed"},
        "consent_required",
    ),
    "single_sign_on": ({"recheck_after": "P30D", "again_after": "P3D"}, {}, {}, None),
    "console": ({"code_lasts": "PT1M", "session_lasts": "PT1H"}, {}, {}, None),
    "capability_matrix": (
        {"actions": {"tag": {"management_types": ["partner_managed"], "rule": "CUS-64"}}},
        {"action": "tag", "management_type": "partner_managed"},
        {"action": "tag", "management_type": "co_managed"},
        "not_offered",
    ),
    "field_mutability": (
        {"editable": [{"noun": "customer", "actor": "partner", "fields": ["/company"]}]},
        {"actor": "partner", "field": "/company/name"},
        {"actor": "partner", "field": "/domain"},
        "not_editable",
    ),
    "identity": (
        {"first_admin": "same_domain", "temporary_allowed": False},
        {"email": "ada@mueller.example", "domain": "mueller.example"},
        {"email": "ada@elsewhere.example", "domain": "mueller.example"},
        "not_acceptable",
    ),
    "eula": (
        {"version": "2", "title": "Terms", "text": "All of it.", "url": None},
        {"version": "2"},
        {"version": "1"},
        "eula_not_in_force",
    ),
    "offboarding": (
        {
            "preconditions": ["no_active_subscriptions"],
            "partner_owned_licences": "now",
            "retention": "P30D",
            "purge": "irreversible",
            "disable_after": "P7D",
            "delete_after": "P30D",
            "notices": [],
            "disable_checklist": [],
            "delete_checklist": [],
        },
        {"products": 0},
        {"products": 1},
        "products_in_the_way",
    ),
    "partner_tree": ({"deepest": 2}, {"level": 2}, {"level": 3}, "tree_too_deep"),
    "provisioning": (
        {"paid_without_programme": "no"},
        {"product": {"item": 1, "offer": "endpoint", "kind": "trial", "quantity": 5, "answers": {}}},
        {"product": {"item": 1, "offer": "endpoint", "kind": "paid", "quantity": 5, "answers": {}}},
        "no_programme",
    ),
    "residency": ({"regions": ["eu"]}, {"region": "eu"}, {"region": "us"}, "not_acceptable"),
    "roles": ({"role_default_access": "none"}, {}, {}, None),
    "sign_up": (
        {"open": True, "terms_version": "2", "terms_text": "All of it.", "terms_url": None, "effort": 10},
        {"version": "2"},
        {"version": "1"},
        "terms_not_in_force",
    ),
}
"""By kind: a document, a case that it lets through, one that it refuses, and how (by the refusal's code)."""


def path(kind: str) -> str:
    return f"/v1/policies/customers/{kind}/try"


def test_every_kind_can_be_tried_and_has_a_case_here() -> None:
    """BEY-04: a new kind without either fails."""
    kinds = {shape.kind for shape in KINDS.shapes}
    assert kinds == TRIALS.keys()
    assert kinds == CASES.keys()


def test_each_case_is_refused_by_the_rules_own_refusal_with_rule_and_version() -> None:
    """BEY-04."""
    for kind, (document, open_, shut, code) in CASES.items():
        trial, by = TRIALS[kind], KINDS.check(kind, document)
        from_policy = type("By", (), {"version": 7, "policy": by})()
        assert trial.decide(from_policy, trial.case.model_validate(open_)) is None, kind
        refusal = trial.decide(from_policy, trial.case.model_validate(shut))
        assert (refusal and refusal.code) == code, kind
        if refusal is not None:
            assert (refusal.policy_version, bool(refusal.rule), bool(refusal.remedy)) == ("7", True, True), kind


async def test_a_draft_is_tried_over_http_and_nothing_is_published(web: Web) -> None:
    """BEY-04: `{allowed, rule, policy_version, reason, remedy}` of every kind, by whoever works with them."""
    partner = await web.a_partner()

    for kind, (document, open_, shut, code) in CASES.items():
        answers = [await partner.post(path(kind), {"document": document, "case": case}) for case in (open_, shut)]
        assert [one.status_code for one in answers] == [200, 200], (kind, answers[0].text)
        first, second = (one.json()["decision"] for one in answers)
        assert (first["allowed"], second["allowed"], first["remedy"]) == (True, code is None, None), kind
        assert {"allowed", "rule", "policy_version", "reason", "remedy", "outcome"} == first.keys()
        assert all(one["rule"] and one["reason"] for one in (first, second))
        assert (answers[0].json()["draft"], int(second["policy_version"]) > 1) == (True, True)
    assert await as_owner(web, "select count(*) from policies where published_at > now()") == 0


async def test_what_is_there_is_counted_as_it_would_be_decided(web: Web) -> None:
    """BEY-04: of the partner's own customers, as far as the caller sees them."""
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    made = [await partner.post("/v1/customers", a_body(name, f"{new_id().hex}.example")) for name in ("Alpha GmbH", "Beta GmbH")]
    hidden = made[1].json()["id"]
    await stranger.post("/v1/customers", a_body("Gamma GmbH", f"{new_id().hex}.example"))
    bob = await web.a_colleague(partner)
    await as_owner(web, "update roles set customers = jsonb_build_object($1::text, 'none') where name = 'Administrator'", hidden)
    elsewhere = {"document": {"regions": ["moon"]}}

    whole, part = [(await who.post(path("residency"), elsewhere)).json() for who in (partner, bob)]
    standing = (await partner.post(path("residency"), {})).json()

    assert (whole["present"], whole["decision"]) == ({"cases": 2, "refused": 2, "otherwise": 2}, None)
    assert part["present"]["cases"] == 1
    assert (standing["draft"], standing["policy_version"], standing["present"]["otherwise"]) == (False, "1", 0)


async def test_a_trial_says_what_is_wrong_with_document_or_case(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)

    case = await operator.post(path("residency"), {"case": {"colour": "red"}})
    document = await operator.post(path("residency"), {"document": {}})

    assert (case.status_code, {one["pointer"] for one in case.json()["errors"]}) == (422, {"/case/region", "/case/colour"})
    assert document.json()["code"] == "policy_refused"
    assert (await operator.post(path("weather"), {})).json()["code"] == "policy_not_found"


@pytest.mark.parametrize("kind", ["residency", "roles"])
async def test_customers_users_try_nothing(web: Web, kind: str) -> None:
    ada = await web.a_customer_user()

    assert (await ada.post(path(kind), {})).status_code == 403
