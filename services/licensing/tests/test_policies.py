"""What licensing decides by is published by operators, and running programmes follow (BEY-04, C-7)."""

from typing import Any

import pytest
from sqlalchemy import select

from chassis.due import DueRow
from contracts.licensing.programmes import ProgrammeChanged
from licensing.rules.regranting import REGRANT
from licensing.tables.programmes import Programme
from licensing_testing.builders import a_programme, regranted
from licensing_testing.desk import Desk

MATRIX = "/v1/policies/licensing/capabilities"
RATING = "/v1/policies/licensing/rating"


def matrix(**programme: str) -> dict[str, Any]:
    actions = ("set_up_trial", "set_up_paid", "monitor", "convert_trial", "manage")
    return {"actions": {one: {"none": "yes", "service_provider": programme.get(one, "yes"), "rule": "C-7"} for one in actions}}


async def test_a_matrix_that_is_published_decides_at_once_and_programmes_follow_it(desk: Desk) -> None:
    await desk.set_up(a_programme)
    operator = await desk.operator()

    published = await operator.post(MATRIX, matrix(set_up_paid="no"), if_match='"1"')

    assert published.status_code == 201, published.text
    capabilities = {one["action"]: one for one in (await desk.get("/v1/capabilities")).json()["items"]}
    assert (capabilities["set_up_paid"]["allowed"], capabilities["set_up_paid"]["policy_version"]) == (False, "2")
    async with desk.worker.work() as work, work.item(desk.principal.partner_id) as tx:
        await regranted(tx)
        await regranted(tx)
        (state,) = (one.record for one in tx.told)
        assert isinstance(state, ProgrammeChanged)
        assert "set_up_paid" not in state.state.capabilities
        assert (await tx.session.scalars(select(Programme.capabilities))).one() == state.state.capabilities


async def test_a_matrix_that_grants_the_same_plans_nothing(desk: Desk) -> None:
    await desk.set_up(a_programme)
    operator = await desk.operator()

    assert (await operator.post(MATRIX, matrix(), if_match='"1"')).status_code == 201
    async with desk.worker.work() as work:
        planned = select(DueRow.id).where(DueRow.kind == REGRANT.kind)
        assert (await work.session.scalars(planned, execution_options={"across_partners": "none is planned"})).all() == []


async def test_a_matrix_decides_every_action(desk: Desk) -> None:
    operator = await desk.operator()
    partial = matrix()
    del partial["actions"]["monitor"]

    refused = await operator.post(MATRIX, partial, if_match='"1"')

    assert (refused.status_code, refused.json()["code"]) == (422, "policy_refused")
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/actions", "too_few")]


@pytest.mark.parametrize("path", [MATRIX, RATING])
async def test_partners_read_and_do_not_publish(desk: Desk, path: str) -> None:
    shown = await desk.get(path)

    assert (shown.json()["version"], shown.json()["service"], shown.headers["etag"]) == (1, "licensing", '"1"')
    assert (await desk.post(path, shown.json()["document"], if_match='"1"')).json()["code"] == "wrong_principal"


async def test_every_kind_is_listed(desk: Desk) -> None:
    kinds = [one["kind"] for one in (await desk.get("/v1/policies/licensing")).json()["items"]]

    assert kinds == ["bulk", "capabilities", "capability_matrix", "rating"]
