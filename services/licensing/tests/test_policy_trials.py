"""What would happen by a policy of licensing is said beforehand, by the rule that would refuse (BEY-04)."""

from typing import Any

from licensing.rules.policy_kinds import KINDS
from licensing.rules.policy_trials import TRIALS
from licensing_testing.desk import Desk

ACTIONS = ("set_up_trial", "set_up_paid", "monitor", "convert_trial", "manage")
BOUGHT = {
    "price": {"currency": "EUR", "unit_price": "4.50", "period": "month", "charge": "in_advance"},
    "quantity": 10,
    "on": "2026-01-16",
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str | None]] = {
    "bulk": (
        {"customers": 10, "per_cent": 25, "always": 5},
        {"customers": 5, "of_customers": 5},
        {"customers": 11, "of_customers": 1000},
        "too_far_reaching",
    ),
    "capabilities": (
        {"actions": {one: {"none": "product_serial", "service_provider": "yes", "rule": "C-7"} for one in ACTIONS}},
        {"action": "convert_trial", "serial_number": True},
        {"action": "convert_trial"},
        "serial_required",
    ),
    "capability_matrix": (
        {"actions": {"deploy_policy": {"management_types": ["partner_managed"], "rule": "CUS-66"}}},
        {"action": "deploy_policy", "management_type": "partner_managed"},
        {"action": "deploy_policy", "management_type": "co_managed"},
        "not_offered",
    ),
    "rating": ({"convention": "day_actual", "rounding": "multiply_then_round"}, BOUGHT, BOUGHT, None),
}


def path(kind: str) -> str:
    return f"/v1/policies/licensing/{kind}/try"


def test_every_kind_can_be_tried_and_has_a_case_here() -> None:
    """BEY-04: a new kind without either fails."""
    kinds = {shape.kind for shape in KINDS.shapes}
    assert kinds == TRIALS.keys()
    assert kinds == CASES.keys()


async def test_a_draft_is_tried_over_http(desk: Desk) -> None:
    """BEY-04: a refusal has rule, version and remedy."""
    for kind, (document, open_, shut, code) in CASES.items():
        answers = [await desk.post(path(kind), {"document": document, "case": case}) for case in (open_, shut)]
        assert [one.status_code for one in answers] == [200, 200], (kind, answers[0].text)
        first, second = (one.json()["decision"] for one in answers)
        assert (first["allowed"], second["allowed"]) == (True, code is None), kind
        assert int(second["policy_version"]) > 1, kind
        assert second["allowed"] or (second["rule"] and second["remedy"]), kind
        trial = TRIALS[kind]
        refusal = trial.decide(type("By", (), {"version": 7, "policy": KINDS.check(kind, document)})(), trial.case.model_validate(shut))
        assert (refusal and (refusal.code, refusal.policy_version)) == (code and (code, "7")), kind


async def test_a_rating_is_tried_on_a_purchase(desk: Desk) -> None:
    """BEY-04, BEY-06: what it would cost."""
    document = (await desk.get("/v1/policies/licensing/rating")).json()["document"]

    said = (await desk.post(path("rating"), {"document": document, "case": BOUGHT})).json()

    assert said["decision"]["outcome"]["total"] == "45.00"
    assert said["decision"]["outcome"]["currency"] == "EUR"
