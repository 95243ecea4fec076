"""A partner comes into being with its two roles and its first administrator (CUS-71, CUS-74, CUS-79, CUS-81, CUS-84)."""

import json
from uuid import UUID

from chassis.access.permissions import Permission
from chassis.database import Transaction
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.partners import PartnerChanged, PartnerRegistered, SupportInfo
from contracts.customers.roles import RoleChanged, RoleCreated
from contracts.customers.users import UserCreated
from contracts.root import ROOT_PARTNER_ID
from customers import partners
from customers.errors import EmailTaken
from customers.partners import FirstUser, Parent, RegisterPartner
from customers_testing.builders import a_partner
from customers_testing.http import OPERATOR, Web, as_owner

SUPPORT = SupportInfo(support_url="https://help.hafen.example", support_email="help@hafen.example")


async def registered(tx: Transaction, **admin: str) -> RegisterPartner:
    """What registers the transaction's partner below another."""
    return RegisterPartner(
        name="Hafen IT",
        country="DE",
        parent=Parent(id=await _a_parent(tx), ancestors=()),
        language="de",
        time_zone="Europe/Berlin",
        support=SUPPORT,
        admin=FirstUser(name="Grace Hopper", email="grace@hafen.example", **admin),
    )


async def test_a_partner_is_told_with_its_roles_and_its_first_user(tx: Transaction) -> None:
    """CUS-71, CUS-74, CUS-81."""
    command = await registered(tx)

    partner, user = await partners.register(tx, command)

    assert tx.facts_told == [PartnerRegistered, RoleCreated, RoleCreated, UserCreated, CredentialLinkRequested]
    state = next(one.record for one in tx.told if isinstance(one.record, PartnerChanged)).state
    assert (state.ancestors, state.support) == ([command.parent.id], SUPPORT)
    assert (partner.id, partner.status) == (tx.partner_id, "active")
    assert (user.status, user.kind) == ("invited", "partner")


async def test_both_roles_are_predefined_and_read_write_on_everything(tx: Transaction) -> None:
    """CUS-79, CUS-80, CUS-84; the first user gets Partner Administrator (CUS-81)."""
    command = await registered(tx)

    _, user = await partners.register(tx, command)

    roles = {one.record.state.name: one.record.state for one in tx.told if isinstance(one.record, RoleChanged)}
    first, second = roles["Partner Administrator"], roles["Administrator"]
    assert {(one.predefined, one.all_customers, one.default_level) for one in (first, second)} == {(True, "read_write", "read_write")}
    assert set(first.permissions) == set(Permission)
    assert Permission.CUSTOMERS_ADD in second.permissions
    assert not {Permission.ROLES_MANAGE, Permission.USERS_MANAGE} & set(second.permissions)
    assert user.role_ids == [first.id]


async def test_with_a_password_the_first_user_signs_in_at_once(tx: Transaction) -> None:
    command = await registered(tx, password_hash="$argon2id$...")

    _, user = await partners.register(tx, command)

    assert user.status == "active"
    assert CredentialLinkRequested not in tx.facts_told


async def test_a_partner_is_registered_under_the_root_or_another_partner(web: Web) -> None:
    """CUS-71: its ancestors run from the root down; each sees itself, the operator all."""
    hafen = (await (await web.a_partner()).get("/v1/me")).json()["partner"]["id"]
    operator = await web.sign_in(OPERATOR)

    admin = {"name": "Max Berg", "email": "max@berg.example"}
    below = await operator.post("/v1/partners", {"company_name": "Berg IT", "country": "AT", "parent_id": hafen, "admin": admin})

    assert below.json()["parent_id"] == hafen
    assert (await operator.get(f"/v1/partners/{hafen}")).json()["parent_id"] == str(ROOT_PARTNER_ID)
    assert len((await operator.get("/v1/partners", sort="-registered_at")).json()["items"]) == 3


async def test_a_parent_must_exist(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    admin = {"name": "Max Berg", "email": "max@berg.example"}

    nowhere = "01936b00-0000-7000-8000-000000000009"
    answer = await operator.post("/v1/partners", {"company_name": "Berg", "country": "DE", "parent_id": nowhere, "admin": admin})

    assert (answer.status_code, answer.json()["code"]) == (422, "parent_not_found")


async def test_support_that_nobody_reaches_is_refused(web: Web) -> None:
    """CUS-74."""
    operator = await web.sign_in(OPERATOR)
    body = {
        "company_name": "Berg IT",
        "country": "DE",
        "support": {"purchase_url": "javascript://shop", "support_phone": "ask Max"},
        "admin": {"name": "Max Berg", "email": "max@berg.example"},
    }

    answer = await operator.post("/v1/partners", body)

    assert {one["pointer"] for one in answer.json()["errors"]} == {"/support/purchase_url", "/support/support_phone"}


async def test_where_a_partner_is_stands_in_its_registration_and_is_told(web: Web) -> None:
    """CUS-69, C-11: the fields of a customer's company; what cannot be is said at once, beside what is wrong with its support."""
    operator = await web.sign_in(OPERATOR)
    body = {"company_name": "Berg IT", "country": "AT", "admin": {"name": "Max Berg", "email": "max@berg.example"}}
    address = {"address_1": "Bergweg 1", "address_3": "4. Stock", "city": "Wien", "postal_code": "1010", "region": "W"}

    wrong = {"support": {"support_phone": "ask"}, "address": address | {"phone": "ask", "website": "javascript://"}}
    refused = await operator.post("/v1/partners", body | wrong)
    short = await operator.post("/v1/partners", body | {"address": {"address_2": "Haus C"}})
    made = await operator.post("/v1/partners", body | {"address": address | {"phone": "01 2345678", "website": "berg.example"}})

    assert {one["pointer"] for one in refused.json()["errors"]} == {"/support/support_phone", "/address/phone", "/address/website"}
    assert {one["pointer"] for one in short.json()["errors"]} == {"/address/address_1", "/address/city"}
    whole = address | {"address_2": None, "phone": "+4312345678", "website": "https://berg.example"}
    assert made.json()["address"] == (await operator.get(f"/v1/partners/{made.json()['id']}")).json()["address"] == whole
    state = "select convert_from(payload, 'utf8') from outbox where topic = 'partner.changed' and entity = $1"
    assert json.loads(str(await as_owner(web, state, made.json()["id"])))["state"]["address"] == whole


async def test_a_login_belongs_to_one_user_in_the_whole_installation(web: Web) -> None:
    """CUS-76, C-3."""
    await web.a_partner()
    operator = await web.sign_in(OPERATOR)

    admin = {"name": "Grace Hopper", "email": "GRACE@hafen.example"}
    answer = await operator.post("/v1/partners", {"company_name": "Berg IT", "country": "DE", "admin": admin})

    assert (answer.status_code, answer.json()["code"]) == (409, EmailTaken.code)
    assert answer.json()["errors"][0]["pointer"] == "/admin/email"


async def _a_parent(tx: Transaction) -> UUID:
    async with as_stranger(tx) as stranger:
        return (await a_partner(stranger, name="Distributor")).id
