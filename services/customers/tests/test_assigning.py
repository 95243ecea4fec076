"""Who has which roles is decided by Partner Administrators, never by oneself, and one of them is always left (CUS-80 to CUS-83)."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis_testing.database import as_stranger
from chassis_testing.views import fitted
from contracts.customers.users import UserChanged, UserUpdated
from customers import assigning, users
from customers.assigning import AssignedView, AssignRoles
from customers.errors import UserNotFound
from customers.tables.roles import Role
from customers.users import AddUser
from customers_testing.builders import a_partner
from customers_testing.http import Web, a_body
from customers_testing.people import a_user_with, an_administrator, role_named


async def assign(web: Web, user_id: str, *role_ids: str, if_match: str = "*") -> httpx.Response:
    return await web.put(f"/v1/users/{user_id}/roles", {"role_ids": [*role_ids]}, if_match=if_match)


async def my_id(web: Web) -> str:
    return str((await web.get("/v1/me")).json()["user"]["id"])


async def permissions(web: Web) -> list[str]:
    mine: list[str] = (await web.get("/v1/me")).json()["permissions"]
    return mine


async def test_a_user_is_given_roles_and_they_hold_at_once(web: Web) -> None:
    """CUS-80: assigned by a Partner Administrator."""
    partner = await web.a_partner()
    role = (await partner.post("/v1/roles", {"name": "Night shift", "permissions": ["customers.add"]})).json()["id"]
    colleague = await a_user_with(partner, "bob@hafen.example", await role_named(partner, "Administrator"))
    bob = await colleague.signed_in()
    assert len(await permissions(bob)) > 1

    answer = await assign(partner, colleague.id, role, role)

    shown = fitted(AssignedView, answer.content)
    assert (answer.headers["etag"], [str(one) for one in shown.role_ids]) == (f'"{shown.version}"', [role])
    assert await permissions(bob) == ["customers.add"]


async def test_nobody_gives_roles_to_oneself_but_another_administrator_does(web: Web) -> None:
    """CUS-82."""
    grace = await web.a_partner()
    ada = await an_administrator(grace, "ada@hafen.example")
    plain = await role_named(grace, "Administrator")

    refused = await assign(grace, await my_id(grace), plain)
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (403, "own_role", "CUS-82")

    taken = await assign(ada, await my_id(grace), plain)
    assert taken.status_code == 200, taken.text
    assert "roles.manage" not in await permissions(grace)


async def test_the_last_active_administrator_keeps_its_role(web: Web) -> None:
    """CUS-83: an operator does not take it either, and whoever was only invited is none yet."""
    grace = await web.a_partner()
    invited = await a_user_with(grace, "eve@hafen.example", await role_named(grace, "Partner Administrator"))
    operator = await web.sign_in("operator@vendor.example")
    partner_id = (await grace.get("/v1/me")).json()["partner"]["id"]
    plain = await role_named(grace, "Administrator")

    refused = await operator.put(
        f"/v1/users/{await my_id(grace)}/roles", {"role_ids": [plain]}, if_match="*", partnerdeck_acting_as=partner_id
    )
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "last_administrator", "CUS-83")

    assert (await assign(grace, invited.id, plain)).status_code == 200


async def test_of_two_administrators_who_take_each_others_role_one_is_left(web: Web) -> None:
    """CUS-83, however often it is tried."""
    grace = await web.a_partner()
    ada = await an_administrator(grace, "ada@hafen.example")
    plain, leading = await role_named(grace, "Administrator"), await role_named(grace, "Partner Administrator")
    ids = {"grace": await my_id(grace), "ada": await my_id(ada)}

    for _ in range(5):
        answers = await asyncio.gather(assign(grace, ids["ada"], plain), assign(ada, ids["grace"], plain))
        assert Counter(answer.status_code for answer in answers)[200] == 1, [answer.text for answer in answers]
        winner, loser = (grace, ids["ada"]) if answers[0].is_success else (ada, ids["grace"])
        assert (await assign(winner, loser, leading)).status_code == 200


async def test_of_many_who_take_a_circle_of_administrators_apart_one_is_left(web: Web) -> None:
    """CUS-83: everybody takes the role of the next one."""
    grace = await web.a_partner()
    circle = [grace, *[await an_administrator(grace, f"admin{number}@hafen.example") for number in range(9)]]
    ids = [await my_id(one) for one in circle]
    plain = await role_named(grace, "Administrator")

    await asyncio.gather(*(assign(one, ids[(number + 1) % len(ids)], plain) for number, one in enumerate(circle)))

    left = [one for one in circle if "roles.manage" in await permissions(one)]
    assert left


async def test_it_warns_while_there_is_only_one_administrator(web: Web) -> None:
    """CUS-83."""
    grace = await web.a_partner()
    plain, leading = await role_named(grace, "Administrator"), await role_named(grace, "Partner Administrator")

    async def warned() -> list[str]:
        return [one["code"] for one in (await grace.get(f"/v1/roles/{leading}")).json()["warnings"]]

    bob = await a_user_with(grace, "bob@hafen.example", plain)
    assert await warned() == ["only_one_administrator"]
    await bob.signed_in()
    assert (await assign(grace, bob.id, leading)).json()["warnings"] == []
    assert await warned() == []
    taken = (await assign(grace, bob.id, plain)).json()
    assert [one["rule"] for one in taken["warnings"]] == ["CUS-83"]


async def test_what_cannot_be_assigned_is_refused(web: Web) -> None:
    grace = await web.a_partner()
    other = await web.a_partner("Berg IT", "berg.example")
    plain = await role_named(grace, "Administrator")
    bob = await a_user_with(grace, "bob@hafen.example", plain)
    await grace.post("/v1/customers", a_body())
    admin = (await grace.get("/v1/customers")).json()["items"][0]
    first_admin = (await grace.get(f"/v1/customers/{admin['id']}")).json()["first_admin"]["user_id"]

    unknown = await assign(grace, bob.id, plain, str(uuid4()), await role_named(other, "Administrator"))
    assert (unknown.status_code, [one["pointer"] for one in unknown.json()["errors"]]) == (422, ["/role_ids/1", "/role_ids/2"])
    assert (await assign(grace, bob.id)).status_code == 422
    assert (await assign(grace, bob.id, plain, if_match='"9"')).status_code == 412
    assert (await grace.put(f"/v1/users/{bob.id}/roles", {"role_ids": [plain]})).status_code == 428
    for nobody in (first_admin, str(uuid4()), await my_id(other)):
        assert (await assign(grace, nobody, plain)).json()["code"] == "user_not_found"


async def test_new_roles_are_told_once(tx: Transaction) -> None:
    """With version and state, before everything else."""
    await a_partner(tx)
    roles = list(await tx.session.scalars(select(Role.id).where(Role.partner_id == tx.partner_id).order_by(Role.name)))
    user = await users.add(tx, AddUser(name="Bob", email="bob@hafen.example", role_ids=(roles[0],)))
    tx.told.clear()

    for _ in range(2):
        await assigning.assign(tx, AssignRoles(user_id=user.id, seen=Seen(None), role_ids=tuple(roles)))

    fact, state = tx.told
    assert (fact.record, fact.about.version) == (UserUpdated(fields=["role_ids"]), user.version)
    assert isinstance(state.record, UserChanged)
    assert state.record.state.role_ids == roles
    async with as_stranger(tx) as stranger:
        with pytest.raises(UserNotFound):
            await assigning.assign(stranger, AssignRoles(user_id=user.id, seen=Seen(None), role_ids=tuple(roles)))
