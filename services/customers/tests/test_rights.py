"""One's own rights, as they are where they are kept: what other services ask when they may not know them yet (CUS-85 to CUS-91)."""

import json

import msgspec
import pytest

from chassis.access.permissions import EVERYTHING
from chassis.access.rights import RoleGrant
from chassis_testing.views import fitted
from customers.routes.rights import RightsView
from customers_testing.http import Web, a_body, as_owner

PATH = "/v1/me/rights"


async def test_they_are_what_the_roles_say_now(web: Web) -> None:
    partner = await web.a_partner()
    answer = await partner.get(PATH)
    before = fitted(RightsView, answer.content)
    assert [grant.permissions for grant in before.grants] == [EVERYTHING]

    levels = json.dumps({"vip": "none"})
    await as_owner(web, "update roles set permissions = '{customers.add}', all_customers = 'read', tags = $1::jsonb", levels)
    (grant,) = msgspec.convert((await partner.get(PATH)).json()["grants"], list[RoleGrant])

    assert grant == RoleGrant(
        permissions=("customers.add",), all_customers="read", default_level=grant.default_level, customers={}, tags={"vip": "none"}
    )


async def test_an_operator_needs_no_role_in_its_own_name_or_a_partners(web: Web) -> None:
    partner = await web.a_partner()
    whose = (await partner.get("/v1/me")).json()["partner"]["id"]
    operator = await web.sign_in("operator@vendor.example")

    own = await operator.get(PATH)
    acting = await operator.client.get(PATH, headers={"authorization": f"Bearer {operator.token}", "partnerdeck-acting-as": whose})

    assert (own.status_code, acting.status_code) == (200, 200)


async def test_a_customers_user_has_its_own_and_nobody_elses(web: Web) -> None:
    partner = await web.a_partner()
    created = await partner.post("/v1/customers", a_body())
    assert created.status_code == 201, created.text
    ada = await web.invited("ada@mueller.example")

    assert (await ada.get(PATH)).json() == {"grants": [], "clock": None}


@pytest.mark.parametrize("ending", ["update users set gen = gen + 1", "update users set status = 'disabled'"])
async def test_an_ended_sign_in_has_none(web: Web, ending: str) -> None:
    partner = await web.a_partner()
    await as_owner(web, ending)

    answer = await partner.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (401, "access_ended")


async def test_a_new_password_ends_every_token_from_before(web: Web) -> None:
    """The generation rises with it, and so old tokens are refused here at once and elsewhere within five seconds."""
    partner = await web.a_partner()
    created = await partner.post("/v1/customers", a_body())
    assert created.status_code == 201, created.text
    before = await web.invited("ada@mueller.example")
    admin = "update links set used_at = null, expires_at = now() + interval '1 year'"
    await as_owner(web, admin)
    after = await web.invited("ada@mueller.example")

    assert (await before.get(PATH)).json()["code"] == "access_ended"
    assert (await after.get(PATH)).status_code == 200
