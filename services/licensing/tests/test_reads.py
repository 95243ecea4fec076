"""What a list is asked for, and who may read: a misspelt filter never answers everything."""

import pytest

from chassis.database import Transaction
from chassis.ids import new_id
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import a_customer, a_matrix, a_programme, a_trial
from licensing_testing.desk import Desk


@pytest.fixture
async def trial(desk: Desk) -> Subscription:
    """A trial of ten seats; the partner is in the programme."""

    async def build(tx: Transaction) -> Subscription:
        await a_programme(tx)
        return await a_trial(tx)

    trial = await desk.set_up(build)
    await desk.knows(trial.customer_id)
    return trial


@pytest.mark.parametrize("asked", [{"stauts": "trial"}, {"limit": "0"}, {"limit": "201"}, {"limit": "many"}])
@pytest.mark.parametrize("path", ["subscriptions", "lines", "offers", "programmes", "capabilities", "entitlements", "provisioning"])
async def test_a_list_refuses_what_it_does_not_know(desk: Desk, trial: Subscription, path: str, asked: dict[str, str]) -> None:
    inside = path in {"entitlements", "provisioning"}

    refused = await desk.get(f"/v1/customers/{trial.customer_id}/{path}" if inside else f"/v1/{path}", **asked)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("path", ["entitlements", "provisioning"])
async def test_an_operator_reads_the_customer_of_any_partner(desk: Desk, trial: Subscription, path: str) -> None:
    """Operators read across partners; a customer that nobody has is not found."""
    operator = await desk.operator()
    idle = await desk.knows(await desk.set_up(a_customer))

    answers = [await operator.get(f"/v1/customers/{one}/{path}") for one in (trial.customer_id, idle, new_id())]

    assert [one.status_code for one in answers] == [200, 200, 404]
    assert answers[2].json()["code"] == "customer_not_found"


async def test_an_operator_sees_what_the_customers_own_partner_may_do(desk: Desk, trial: Subscription) -> None:
    """LIC-14, LIC-06: the actions are decided for the partner whose customer it is."""
    row = (await (await desk.operator()).get(f"/v1/customers/{trial.customer_id}/entitlements")).json()["items"][0]

    assert row["serial_number"] == trial.serial_number
    assert [(one["action"], one["allowed"]) for one in row["actions"]] == [("convert_trial", True)]


async def test_a_partner_whom_the_matrix_does_not_let_monitor_reads_nothing_nor_do_its_programs(desk: Desk) -> None:
    """LIC-06, BEY-04: the refusal names rule and policy version; customers and operators still read."""
    trial = await desk.set_up(a_trial)
    await desk.knows(trial.customer_id)
    await desk.set_up(lambda tx: a_matrix(tx, monitor="no"))
    others = (await desk.operator(), await desk.portal(trial.customer_id))
    program = await desk.newcomer(partner_id=desk.principal.partner_id, kind="service")

    for path in ("/v1/subscriptions", f"/v1/subscriptions/{trial.id}", f"/v1/customers/{trial.customer_id}/entitlements"):
        refused = await desk.get(path)
        assert (refused.status_code, refused.json()["code"], refused.json()["policy_version"]) == (403, "no_programme", "2")
        assert [(await who.get(path)).status_code for who in others] == [200, 200]
        assert (await program.get(path)).json()["code"] == "no_programme"


async def test_a_preview_takes_no_idempotency_key(desk: Desk, trial: Subscription) -> None:
    """BEY-05: a preview is never an old one, and its key is free for another call."""
    path = f"/v1/subscriptions/{trial.id}/convert"

    first, second = [await desk.post(f"{path}/preview", {"quantity": seats}, idempotency_key="once") for seats in (10, 12)]
    converted = await desk.post(path, {"preview_token": second.json()["preview_token"]}, if_match='"1"', idempotency_key="once")

    assert [one.json()["quantity"] for one in (first, second)] == [10, 12]
    assert (converted.status_code, converted.json()["seats_bought"]) == (200, 12)


async def test_a_refusal_names_only_ways_that_there_are(desk: Desk, trial: Subscription) -> None:
    """LIC-14, BEY-04: fewer seats than are in use."""

    async def use(tx: Transaction) -> None:
        found = await tx.session.get_one(Subscription, (tx.partner_id, trial.id))
        found.seats_used = 8

    await desk.set_up(use)
    refused = await desk.post(f"/v1/subscriptions/{trial.id}/convert/preview", {"quantity": 7})

    assert (refused.status_code, refused.json()["code"], refused.json()["seats_used"]) == (409, "seats_in_use", 8)
    assert refused.json()["remedy"] == "Take at least as many seats as are in use."
