"""Whatever an action's verb answers was said before: in every status and for every cell of the matrix (CUS-35, CUS-64, GW-10)."""

from typing import Any, Final

import pytest

from contracts.root import ROOT_PARTNER_ID
from customers.errors import NotOffered
from customers.rules import actions
from customers.rules.capabilities import Action
from customers_testing.http import OPERATOR, Web, a_body, as_owner

VERBS: Final[dict[Action, tuple[str, str, Any]]] = {
    actions.EDIT: ("PATCH", "", {"company": {"city": "Bremen"}}),
    actions.TAG: ("PUT", "/tags", {"tags": ["vip"]}),
    actions.REPLACE_FIRST_ADDRESS: ("POST", "/first-admin", {"email": "ada@mueller.example"}),
    actions.CHANGE_MANAGEMENT: ("POST", "/management", {"management_type": "customer_managed"}),
    actions.SET_COMMUNICATIONS: ("PUT", "/communications", {"communications_mode": "both"}),
    actions.REQUEST_LAUNCH: ("POST", "/consents/console-launch", None),
    actions.REVOKE_CONSENT: ("POST", "/consents/revoke", {"kind": "console_launch"}),
    actions.LAUNCH_CONSOLE: ("POST", "/console-sessions", None),
    actions.DISABLE: ("POST", "/disable", None),
    actions.ENABLE: ("POST", "/enable", None),
    actions.UNLINK: ("POST", "/unlink", None),
    actions.MOVE: ("POST", "/move", {"partner_id": str(ROOT_PARTNER_ID)}),
    actions.SHUT_OUT: ("POST", "/shut-out", None),
    actions.DELETE: ("POST", "/delete", None),
    actions.RESTORE: ("POST", "/restore", None),
    actions.MOVE: ("POST", "/move", {"partner_id": "01936b00-0000-7000-8000-000000000009"}),
    actions.CLEAR_REVIEW: ("POST", "/review/clear", None),
    actions.REJECT_REVIEW: ("POST", "/review/reject", {"reason": "A denied party"}),
}
ELSEWHERE: Final = {
    *(actions.VIEW, actions.ACTIVATE_TRIAL, actions.ACTIVATE_PRODUCT, actions.DEPLOY_PRODUCTS, actions.ASSIGN_TEMPLATE),
    *(actions.DEPLOY_POLICY, actions.UPDATE_FIRMWARE, actions.RENEW_LICENCES, actions.PLAN_OFFBOARDING),
}
"""Looked at, done in other services, or asked of a time to come."""
STATUSES: Final = ("pending_review", "active", "disabled", "deleting", "deleted", "rejected")
SET: Final = "update customers set status = $1 where id = $2"
RECOVERABLE: Final = """
insert into deletions (partner_id, id, version, status, was, asked_at, asked_version, policy_version, in_the_way, deleted_at,
                       recoverable_until, user_ids)
select partner_id, id, 1, 'deleted', 'active', now(), 1, 1, '[]', now(), '9999-01-01', '{}' from customers where id = $1
on conflict do nothing
"""


async def said(asker: Web, customer: str) -> dict[str, str | None]:
    answer = await asker.get(f"{customer}/actions")
    assert answer.is_success, answer.text
    return {one["action"]: one["code"] for one in answer.json()["items"]}


async def disagreements(asker: Web, customer: str, status: str) -> list[tuple[str, str | None, str | None]]:
    """Verbs that were said to be open and are not, or the other way round, or are refused otherwise than was said."""
    found = []
    for action, (method, path, body) in VERBS.items():
        await as_owner(asker, SET, status, customer.rpartition("/")[2])
        told = await said(asker, customer)
        if action.name not in told:
            continue
        answer = await asker.send(method, customer + path, body, if_match="*")
        code = answer.json().get("code") if answer.is_error else None
        refusals = {NotOffered.code, action.otherwise.code, *([action.condition.otherwise.code] if action.condition else [])}
        decided = code if code in refusals else None
        if decided != told[action.name]:
            found.append((action.name, told[action.name], code))
    return found


def test_every_action_has_its_verb_here() -> None:
    assert {*VERBS, *ELSEWHERE} == {*actions.ALL}
    assert not ELSEWHERE & VERBS.keys()


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_said_of_an_action_is_what_its_verb_answers(web: Web, status: str) -> None:
    """CUS-35, GW-10."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body())).headers["location"]
    if status == "deleted":
        await as_owner(web, RECOVERABLE, customer.rpartition("/")[2])

    assert await disagreements(partner, customer, status) == []
    assert [one for one in await disagreements(operator, customer, status) if one[2] != "acting_as_needed"] == []


async def test_no_verb_goes_past_the_matrix(web: Web) -> None:
    """CUS-64, BEY-04."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body())).headers["location"]
    nowhere = {"account_types": ["licensing_platform"], "rule": "CUS-64"}
    matrix = {"actions": {action.name: nowhere for action in VERBS}}
    published = await operator.post("/v1/policies/customers/capability_matrix", matrix, if_match="*")
    assert published.is_success, published.text

    told = await said(partner, customer)

    assert {told[action.name] for action in VERBS if action.name in told} == {NotOffered.code}
    assert await disagreements(partner, customer, "active") == []
