"""Who may sign in for a partner: added by those who may, with roles that exist (CUS-76, CUS-79, CUS-80)."""

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.lists import Wanted
from chassis_testing.database import as_stranger, reading
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.users import UserCreated
from customers import role_list, users
from customers.errors import EmailTaken, RoleNotFound
from customers.tables.roles import Role
from customers.users import AddUser
from customers_testing.builders import a_customer, a_partner
from customers_testing.http import OPERATOR, Web


async def a_role(tx: Transaction, name: str = "Administrator") -> Role:
    return (await tx.session.scalars(select(Role).where(Role.partner_id == tx.partner_id, Role.name == name))).one()


async def test_a_new_user_is_invited_by_a_link(tx: Transaction) -> None:
    """CUS-76."""
    await a_partner(tx)
    role = await a_role(tx)

    user = await users.add(tx, AddUser(name="Bob", email="bob@hafen.example", role_ids=(role.id, role.id)))

    assert tx.facts_told == [UserCreated, CredentialLinkRequested]
    assert (user.status, user.kind, user.role_ids) == ("invited", "partner", [role.id])


@pytest.mark.parametrize(("wanted", "language"), [(None, "de"), ("fr", "fr")])
async def test_a_new_user_speaks_its_partners_language_unless_said(tx: Transaction, wanted: str | None, language: str) -> None:
    """CUS-76."""
    partner = await a_partner(tx)
    partner.language = "de"
    role = await a_role(tx)

    user = await users.add(tx, AddUser(name="Bob", email="bob@hafen.example", role_ids=(role.id,), language=wanted))

    assert user.language == language


async def test_an_address_is_given_once(tx: Transaction) -> None:
    """CUS-76."""
    await a_partner(tx, email="grace@hafen.example")
    role = await a_role(tx)

    with pytest.raises(EmailTaken):
        await users.add(tx, AddUser(name="Bob", email="Grace@hafen.example", role_ids=(role.id,)))


async def test_a_role_of_another_partner_does_not_exist(tx: Transaction) -> None:
    await a_partner(tx)
    role = await a_role(tx)

    async with as_stranger(tx) as stranger:
        await a_partner(stranger)
        with pytest.raises(RoleNotFound) as refusal:
            await users.add(stranger, AddUser(name="Eve", email="eve@berg.example", role_ids=(role.id,)))
    assert [error.pointer for error in refusal.value.errors] == ["/role_ids/0"]


async def test_the_partners_own_users_are_listed_and_not_its_customers(tx: Transaction) -> None:
    """CUS-76."""
    await a_partner(tx, email="grace@hafen.example")
    await a_customer(tx)

    page = await users.page(await reading(tx), Wanted())

    assert [user.email for user in page.items] == ["grace@hafen.example"]


async def test_both_predefined_roles_are_listed(tx: Transaction) -> None:
    """CUS-79."""
    await a_partner(tx)

    assert [(role.name, role.predefined) for role in (await role_list.every(await reading(tx))).items] == [
        ("Administrator", True),
        ("Partner Administrator", True),
    ]


async def test_only_a_partner_administrator_adds_users(web: Web) -> None:
    """CUS-80: an Administrator is invited, and may create customers but no users."""
    partner = await web.a_partner()
    roles = {role["name"]: role["id"] for role in (await partner.get("/v1/roles")).json()["items"]}

    added = await partner.post("/v1/users", {"name": "Bob", "email": "bob@hafen.example", "role_ids": [roles["Administrator"]]})

    assert added.status_code == 201
    assert (await partner.get(added.headers["location"])).json() == added.json()
    bob = await web.invited("bob@hafen.example")
    assert (await bob.get("/v1/me")).json()["roles"] == [{"id": roles["Administrator"], "name": "Administrator"}]
    refused = await bob.post("/v1/users", {"name": "Eve", "email": "eve@hafen.example", "role_ids": [roles["Administrator"]]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_users_of_the_root_party_are_operators(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    role = (await operator.get("/v1/roles")).json()["items"][0]["id"]

    added = await operator.post("/v1/users", {"name": "Olga", "email": "olga@vendor.example", "role_ids": [role]})

    assert (added.status_code, added.json()["kind"]) == (201, "operator")
