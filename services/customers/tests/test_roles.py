"""Custom roles are made, edited and deleted by Partner Administrators alone, and never say what contradicts itself (CUS-79 to CUS-91)."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.access.permissions import EVERYDAY, EVERYTHING
from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis.http.lists import Listing
from chassis_testing.database import as_stranger
from chassis_testing.views import fitted
from contracts.customers.roles import RoleChanged, RoleCreated, RoleDeleted, RoleUpdated
from contracts.records import Ending
from customers import roles
from customers.errors.roles import NoSuchRole, TooManyPlaced
from customers.role_defaults import RoleDefaultView
from customers.role_list import RoleView, RoleWholeView
from customers.roles import DeleteRole, EditRole, RoleSaid
from customers.rules.roles import MOST_PLACED, forget_customer
from customers.tables.roles import Role
from customers_testing.builders import a_customer, a_partner
from customers_testing.http import OPERATOR, Web, a_body, as_owner
from customers_testing.people import a_user_with, an_administrator

ANY = Seen(None)
SEEN = {"if_match": "*"}
MANAGES = ("customers.add", "customers.import", "customers.remove")


def refusals(answer: httpx.Response) -> dict[str, tuple[str, str | None]]:
    return {one["pointer"]: (one["code"], one.get("rule")) for one in answer.json()["errors"]}


async def made(web: Web, **said: Any) -> dict[str, Any]:
    answer = await web.post("/v1/roles", {"name": "Night shift"} | said)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_the_predefined_roles_are_read_write_on_every_customer_and_never_change(web: Web) -> None:
    """CUS-79, CUS-84: also through nobody's mistake."""
    partner = await web.a_partner()
    shown = fitted(Listing[RoleView], (await partner.get("/v1/roles")).content).items

    assert {one.name: (tuple(one.permissions), one.all_customers) for one in shown} == {
        "Partner Administrator": (EVERYTHING, "read_write"),
        "Administrator": (EVERYDAY, "read_write"),
    }
    assert [one.locked[0].code for one in shown] == ["predefined_role"] * 2
    for role in shown:
        for answer in (
            await partner.patch(f"/v1/roles/{role.id}", {"name": "Boss"}, **SEEN),
            await partner.delete(f"/v1/roles/{role.id}", **SEEN),
        ):
            assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (409, "predefined_role", "CUS-79")


async def test_a_new_role_has_read_write_on_all_customers_unless_it_says_otherwise(web: Web) -> None:
    """CUS-86, CUS-88, CUS-91."""
    partner = await web.a_partner()

    plain = await made(partner)
    chosen = await made(partner, name="By default", default_level="read", permissions=["customers.add"], tags={"vip": "read_write"})

    assert (plain["all_customers"], plain["permissions"], plain["version"]) == ("read_write", [], 1)
    assert (chosen["all_customers"], chosen["default_level"], chosen["tags"]) == (None, "read", {"vip": "read_write"})
    answer = await partner.get(f"/v1/roles/{chosen['id']}")
    assert (answer.json(), answer.headers["etag"]) == (chosen, '"1"')
    fitted(RoleWholeView, answer.content)


async def test_the_operator_may_decide_that_a_new_role_has_no_access(web: Web) -> None:
    """C-12: least privilege, as a policy."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    published = await operator.post("/v1/policies/customers/roles", {"role_default_access": "none"}, if_match='"1"')
    assert published.status_code == 201, published.text

    assert (await made(partner))["all_customers"] == "none"


async def test_a_partner_chooses_for_itself_what_new_roles_give(web: Web) -> None:
    """C-12: over the operator's policy, until it leaves it to that again."""
    partner, other = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    path = "/v1/role-default"
    first = await partner.get(path)
    assert (first.json()["role_default_access"], first.json()["chosen"], first.headers["etag"]) == ("read_write", None, '"0"')

    answers = await asyncio.gather(*(partner.put(path, {"role_default_access": "none"}, if_match='"0"') for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 9]
    assert (await made(partner))["all_customers"] == "none"
    assert (await made(other))["all_customers"] == "read_write"

    left = await partner.put(path, {"role_default_access": None}, if_match='"1"')
    assert left.json() == {"version": 2, "role_default_access": "read_write", "chosen": None, "policy_version": "1"}
    fitted(RoleDefaultView, left.content)
    assert (await made(partner, name="Day shift"))["all_customers"] == "read_write"
    assert (await partner.put(path, {"role_default_access": "read"}, if_match="*")).status_code == 422
    bob = await (await a_user_with(partner, "bob@hafen.example", (await made(partner, name="Late shift"))["id"])).signed_in()
    assert (await bob.put(path, {"role_default_access": "none"}, if_match="*")).json()["code"] == "not_allowed"


async def test_everything_that_contradicts_itself_is_refused_at_once_with_its_rule(web: Web) -> None:
    """CUS-80, CUS-87, CUS-89, CUS-90."""
    partner = await web.a_partner()

    nothing = await partner.post(
        "/v1/roles", {"name": "X", "all_customers": "none", "default_level": "read", "permissions": [*MANAGES, "roles.manage"]}
    )
    reading = await partner.post("/v1/roles", {"name": "X", "all_customers": "read", "permissions": [*MANAGES]})

    assert (nothing.status_code, reading.status_code) == (422, 422)
    disabled = ("permission_disabled", "CUS-90")
    assert refusals(nothing) == {
        "/permissions/0": disabled,
        "/permissions/1": disabled,
        "/permissions/2": disabled,
        "/permissions/3": ("administrators_only", "CUS-80"),
        "/default_level": ("default_level_locked", "CUS-87"),
    }
    assert refusals(reading) == {"/permissions/2": ("removing_disabled", "CUS-89")}
    assert (reading.json()["code"], reading.json()["rule"]) == ("removing_disabled", "CUS-89")


async def test_an_edit_may_not_leave_behind_what_could_not_be_made(web: Web) -> None:
    """CUS-87, CUS-89: what is not said counts too."""
    partner = await web.a_partner()
    role = await made(partner, permissions=[*MANAGES])
    path = f"/v1/roles/{role['id']}"

    assert refusals(await partner.patch(path, {"all_customers": "read"}, **SEEN)) == {"/all_customers": ("removing_disabled", "CUS-89")}
    assert refusals(await partner.patch(path, {"default_level": "read"}, **SEEN)) == {"/default_level": ("default_level_locked", "CUS-87")}
    edited = await partner.patch(path, {"all_customers": "read", "permissions": ["customers.add"]}, **SEEN)
    assert edited.status_code == 200, edited.text
    assert {one["setting"] for one in edited.json()["locked"]} == {"default_level", "roles.manage", "customers.remove"}
    freed = await partner.patch(path, {"all_customers": None, "default_level": "none"}, **SEEN)
    assert (freed.json()["all_customers"], freed.json()["default_level"]) == (None, "none")
    assert [one["setting"] for one in freed.json()["locked"]] == ["roles.manage"]


async def test_a_role_names_customers_that_there_are_and_not_too_many(tx: Transaction, web: Web) -> None:
    """CUS-86: more of them are placed by a tag."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()["id"]
    stranger = await (await web.a_partner("Berg IT", "berg.example")).post("/v1/customers", a_body("Berg", "berg-customer.example"))

    unknown = [str(uuid4()), stranger.json()["id"]]
    refused = await partner.post("/v1/roles", {"name": "X", "customers": dict.fromkeys([customer, *unknown], "read")})
    assert refusals(refused) == {f"/customers/{one}": ("customer_not_found", "CUS-86") for one in unknown}
    assert (await made(partner, customers={customer: "none"}))["customers"] == {customer: "none"}

    await a_partner(tx)
    with pytest.raises(TooManyPlaced, match="5001 are too many"):
        await roles.create(tx, RoleSaid(name="X", customers={uuid4(): "read" for _ in range(MOST_PLACED + 1)}))


async def test_two_roles_of_a_partner_have_two_names(web: Web) -> None:
    partner, other = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")

    answers = await asyncio.gather(*(partner.post("/v1/roles", {"name": "Night shift"}) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 19]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"role_name_taken"}
    await made(other)
    second = await made(partner, name="Day shift")
    assert (await partner.patch(f"/v1/roles/{second['id']}", {"name": "Administrator"}, **SEEN)).json()["code"] == "role_name_taken"


async def test_what_happens_to_a_role_is_told_whole_and_its_end_by_a_tombstone(tx: Transaction) -> None:
    """Facts and state carry the version; an edit that changes nothing is told to nobody."""
    await a_partner(tx)
    customer = await a_customer(tx)

    role = await roles.create(tx, RoleSaid(name="Night shift", customers={customer.id: "read"}))
    await roles.edit(tx, EditRole(role_id=role.id, seen=ANY, role=RoleSaid(name="Night shift", tags={})))
    await roles.edit(tx, EditRole(role_id=role.id, seen=ANY, role=RoleSaid(tags={"vip": "none"}, permissions=("customers.add",))))
    await roles.delete(tx, DeleteRole(role_id=role.id, seen=ANY))

    assert [(type(one.record), one.about.version) for one in tx.told] == [
        (RoleCreated, 1),
        (RoleChanged, 1),
        (RoleUpdated, 2),
        (RoleChanged, 2),
        (RoleDeleted, 3),
        (Ending, 3),
    ]
    created, updated, state = tx.told[1].record, tx.told[2].record, tx.told[3].record
    assert isinstance(created, RoleChanged)
    assert created.state.customers == {customer.id: "read"}
    assert isinstance(updated, RoleUpdated)
    assert updated.fields == ["permissions", "tags"]
    assert isinstance(state, RoleChanged)
    assert (state.state.tags, state.state.permissions) == ({"vip": "none"}, ["customers.add"])


async def test_a_role_that_users_have_is_not_deleted(web: Web) -> None:
    partner = await web.a_partner()
    role = await made(partner)
    bob = await a_user_with(partner, "bob@hafen.example", role["id"])

    refused = await partner.delete(f"/v1/roles/{role['id']}", **SEEN)
    assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
    assert (refused.json()["users"], refused.json()["user_ids"]) == (1, [bob.id])
    other = await made(partner, name="Day shift")
    assert (await partner.put(f"/v1/users/{bob.id}/roles", {"role_ids": [other["id"]]}, **SEEN)).status_code == 200

    gone = await partner.delete(f"/v1/roles/{role['id']}", **SEEN)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await partner.get(f"/v1/roles/{role['id']}")).json()["code"] == "role_not_found"


async def test_a_role_given_and_deleted_in_the_same_moment_is_one_of_both(web: Web) -> None:
    """A user never has a role that is not there."""
    partner = await web.a_partner()
    role = await made(partner)
    bob = await a_user_with(partner, "bob@hafen.example", (await made(partner, name="Day shift"))["id"])

    given, gone = await asyncio.gather(
        partner.put(f"/v1/users/{bob.id}/roles", {"role_ids": [role["id"]]}, **SEEN), partner.delete(f"/v1/roles/{role['id']}", **SEEN)
    )

    assert (given.status_code, gone.status_code) in {(200, 409), (422, 204)}


async def test_only_who_manages_roles_looks_into_them_and_changes_them(web: Web) -> None:
    """CUS-80: neither an Administrator nor whoever may manage users."""
    partner = await web.a_partner()
    role = await made(partner, permissions=["users.manage", "customers.add"])
    bob = await (await a_user_with(partner, "bob@hafen.example", role["id"])).signed_in()
    path = f"/v1/roles/{role['id']}"
    attempts = [
        await bob.post("/v1/roles", {"name": "Mine"}),
        await bob.get(path),
        await bob.patch(path, {"name": "Mine"}, **SEEN),
        await bob.delete(path, **SEEN),
        await bob.put(f"/v1/users/{uuid4()}/roles", {"role_ids": [role["id"]]}, **SEEN),
        await bob.post("/v1/users", {"name": "Eve", "email": "eve@hafen.example", "role_ids": [role["id"]]}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in attempts} == {(403, "not_allowed")}
    assert len((await bob.get("/v1/roles")).json()["items"]) == 3


async def test_a_role_of_ones_own_is_changed_by_another_administrator(web: Web) -> None:
    """CUS-82."""
    partner = await web.a_partner()
    role = await made(partner)
    ada = await an_administrator(partner, "ada@hafen.example", role["id"])
    path = f"/v1/roles/{role['id']}"

    for refused in (await ada.patch(path, {"all_customers": "none"}, **SEEN), await ada.delete(path, **SEEN)):
        assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (403, "own_role", "CUS-82")
    assert (await partner.patch(path, {"all_customers": "none"}, **SEEN)).status_code == 200


async def test_an_edit_says_what_it_has_seen(web: Web) -> None:
    partner = await web.a_partner()
    path = f"/v1/roles/{(await made(partner))['id']}"

    assert (await partner.patch(path, {"name": "Day shift"}, if_match="")).status_code == 428
    answers = await asyncio.gather(*(partner.patch(path, {"name": f"Shift {one}"}, if_match='"1"') for one in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 19]
    assert (await partner.delete(path, if_match='"1"')).status_code == 412


async def test_a_role_made_twice_under_one_key_is_one(web: Web) -> None:
    partner = await web.a_partner()

    key = str(uuid4())
    first, again = [await partner.post("/v1/roles", {"name": "Night shift"}, idempotency_key=key) for _ in range(2)]

    assert (first.status_code, again.json()) == (201, first.json())


async def test_another_partners_role_does_not_exist(tx: Transaction, web: Web) -> None:
    await a_partner(tx)
    role = await roles.create(tx, RoleSaid(name="Night shift"))
    async with as_stranger(tx) as stranger:
        await a_partner(stranger)
        with pytest.raises(NoSuchRole):
            await roles.edit(stranger, EditRole(role_id=role.id, seen=ANY, role=RoleSaid(name="Mine")))
        assert role.id not in set(await stranger.session.scalars(select(Role.id)))

    theirs = await made(await web.a_partner())
    other = await web.a_partner("Berg IT", "berg.example")
    assert (await other.get(f"/v1/roles/{theirs['id']}")).status_code == 404


async def test_the_audit_has_a_role_before_and_after(web: Web) -> None:
    partner = await web.a_partner()
    role = await made(partner)
    await partner.patch(f"/v1/roles/{role['id']}", {"all_customers": "read"}, **SEEN)

    said = (
        "select v.before::text || v.after::text from audit a join audit_values v on v.audit_id = a.id where 'role.updated' = any(a.facts)"
    )
    assert (
        await as_owner(web, said)
        == '{"all_customers":"read_write","default_level":"read_write"}{"all_customers":"read","default_level":"read"}'
    )


async def test_a_customer_that_is_gone_is_in_no_role(tx: Transaction) -> None:
    """Whoever takes a customer away says so, and the roles are told anew."""
    await a_partner(tx)
    customer = await a_customer(tx)
    role = await roles.create(tx, RoleSaid(name="Night shift", customers={customer.id: "read"}))
    tx.told.clear()

    await forget_customer(tx, customer.id)

    assert (role.customers, role.version) == ({}, 2)
    assert tx.facts_told == [RoleUpdated]


async def test_an_operator_makes_roles_as_the_partner_concerned(web: Web) -> None:
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    whose = (await partner.get("/v1/me")).json()["partner"]["id"]

    answer = await operator.post("/v1/roles", {"name": "Night shift"}, partnerdeck_acting_as=whose)

    assert answer.status_code == 201, answer.text
    assert len((await partner.get("/v1/roles")).json()["items"]) == 3
