"""Who asks, and what there is to be asked about: two partners, one below a distributor, with users of every kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import httpx

from chassis.links import link_token
from chassis_testing.waiting import eventually
from onebox import people
from onebox.api import Api
from onebox.suite import Suite

ACTING_AS: Final = "partnerdeck-acting-as"
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """``headers`` of each principal; ``own`` are ids of the partner asked about, ``foreign`` the stranger's of the same kinds.

    ``marker`` stands in the name of the partner's customer, ``foreign_marker`` in that of the stranger's.
    """

    headers: Mapping[str, Mapping[str, str]]
    own: Mapping[str, str]
    foreign: Mapping[str, str]
    marker: str
    foreign_marker: str


async def assemble(suite: Suite, http: httpx.AsyncClient) -> Cast:
    """Make them all, and wait until every service knows them."""
    operator = await Api(http).signed_in(*suite.operator)
    above = await _a_partner(http, operator, "Above")
    partner = await _a_partner(http, operator, "Matrix", parent_id=(await above.get("/v1/me"))["partner"]["id"])
    stranger = await _a_partner(http, operator, "Stranger")
    own, foreign = await _belongings(suite, http, partner), await _belongings(suite, http, stranger)
    acting = {ACTING_AS: own.ids["partner_id"]}
    headers = {
        "operator": operator.headers,
        "operator_acting": operator.headers | acting,
        "partner_admin": partner.headers,
        "ancestor_acting": above.headers | acting,
        "ancestor": above.headers,
        "stranger": stranger.headers,
        "anonymous": {},
    }
    cast = Cast(headers=headers | own.headers, own=own.ids, foreign=foreign.ids, marker=own.marker, foreign_marker=foreign.marker)
    await _known_everywhere(http, partner, cast.own)
    await _known_everywhere(http, stranger, cast.foreign)
    return cast


@dataclass(frozen=True, slots=True, kw_only=True)
class _Belongings:
    headers: dict[str, dict[str, str]]
    ids: dict[str, str]
    marker: str


async def _a_partner(http: httpx.AsyncClient, operator: Api, name: str, **more: Any) -> Api:
    body = a_partner(name) | more
    await operator.post("/v1/partners", **body)
    return await Api(http).signed_in(body["admin"]["email"], people.PASSWORD)


def a_partner(name: str = "Another") -> dict[str, Any]:
    mark = uuid4().hex[:10]
    admin = {"name": f"{name} Admin", "email": f"admin@{mark}.example", "password": people.PASSWORD}
    return {"company_name": f"{name} {mark}", "country": "DE", "admin": admin}


def a_customer(marker: str | None = None) -> dict[str, Any]:
    return people.customer(f"Matrix {marker or uuid4().hex[:10]}", "Mia Maple")


async def _belongings(suite: Suite, http: httpx.AsyncClient, partner: Api) -> _Belongings:
    """A partner's roles, users, customers and what hangs on them, with who of them may ask."""
    marker, domain = uuid4().hex[:10], f"{uuid4().hex[:10]}.example"
    roles = await _roles(partner)
    users: dict[str, Api] = {}
    for name, role in roles.items():
        email = f"{name}@{domain}"
        await partner.post("/v1/users", name=name.title(), email=email, role_ids=[role])
        users[name] = await _signed_in(suite, http, email)
    somebody = await partner.post("/v1/users", name="Some Body", email=f"somebody@{domain}", role_ids=[roles["reader"]])
    bodies = {"customer": a_customer(marker), "other_customer": a_customer(f"{marker[::-1]} Other")}
    customers = {name: await partner.post("/v1/customers", **body) for name, body in bodies.items()}
    for name, body in bodies.items():
        users[name] = await _signed_in(suite, http, f"mia.maple@{body['domain']}")
    key = await partner.post("/v1/api-keys", name="Matrix", role_ids=[roles["reader"]], scopes=[])
    token = await Api(http).post("/v1/tokens", api_key=key["secret"])
    draft = await partner.post("/v1/customer-drafts")
    me = await partner.get("/v1/me")
    ids = {
        "partner_id": me["partner"]["id"],
        "user_id": (await users["clerk"].get("/v1/me"))["user"]["id"],
        "somebody": somebody["id"],
        "role_id": roles["clerk"],
        "key_id": key["id"],
        "draft_id": draft["id"],
        "customer_id": customers["customer"]["id"],
        "subscription_id": await _trial(partner, customers["customer"]["id"]),
    }
    headers = {name: dict(user.headers) for name, user in users.items()}
    return _Belongings(headers=headers | {"service": {"authorization": f"Bearer {token['access_token']}"}}, ids=ids, marker=marker)


async def _roles(partner: Api) -> dict[str, str]:
    there = {one["name"]: one["id"] for one in (await partner.get("/v1/roles"))["items"]}
    levels = {"clerk": "read_write", "reader": "read", "nobody": "none"}
    made = {
        name: (await partner.post("/v1/roles", name=f"Matrix {name}", permissions=[], all_customers=level))["id"]
        for name, level in levels.items()
    }
    return {"administrator": there["Administrator"]} | made


async def _signed_in(suite: Suite, http: httpx.AsyncClient, email: str) -> Api:
    """By the link that its mail carries, which is made of the link's id."""
    address = suite.postgres
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=address.superuser, password=address.password, database="customers"
    )
    try:
        link: UUID = await connection.fetchval(
            "select l.id from links l join users u on u.id = l.user_id where lower(u.email) = $1 order by l.id desc limit 1", email
        )
    finally:
        await connection.close()
    token = link_token(suite.home.secrets().link_key.encode(), link)
    await Api(http).post("/v1/credentials/set-password", token=token, password=people.PASSWORD)
    return await Api(http).signed_in(email, people.PASSWORD)


async def _trial(partner: Api, customer_id: str) -> str:
    async def look() -> str:
        items = (await partner.get("/v1/subscriptions", customer_id=customer_id))["items"]
        assert items
        return str(items[0]["id"])

    return await eventually(look, within=PATIENCE)


async def _known_everywhere(http: httpx.AsyncClient, partner: Api, ids: Mapping[str, str]) -> None:
    paths = (f"/v1/customers/{ids['customer_id']}/entitlements", f"/v1/customer-overview/{ids['customer_id']}")

    async def look() -> bool:
        return all([(await http.get(path, headers=partner.headers)).is_success for path in paths])

    await eventually(look, within=PATIENCE)
