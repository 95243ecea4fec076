"""People of a partner: users that an administrator adds, gives roles, and who then sign in; and its programs."""

from dataclasses import dataclass
from typing import Any

from customers_testing.http import Web


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user that was added; it signs in once its password is set."""

    id: str
    email: str
    beside: Web

    async def signed_in(self) -> Web:
        return await self.beside.invited(self.email)


async def a_user_with(administrator: Web, email: str, *role_ids: str) -> Colleague:
    """Somebody with these roles and no others."""
    answer = await administrator.post("/v1/users", {"name": "Bob Builder", "email": email, "role_ids": [*role_ids]})
    assert answer.is_success, answer.text
    return Colleague(answer.json()["id"], email, administrator)


async def role_named(web: Web, name: str) -> str:
    """The id of one of the partner's roles."""
    listed = (await web.get("/v1/roles")).json()["items"]
    return next(str(one["id"]) for one in listed if one["name"] == name)


async def an_administrator(administrator: Web, email: str, *more: str) -> Web:
    """Another Partner Administrator, signed in; with ``more`` roles, if any."""
    role = await role_named(administrator, "Partner Administrator")
    return await (await a_user_with(administrator, email, role, *more)).signed_in()


async def a_key(who: Web, *scopes: str, role: str = "Administrator", **more: Any) -> dict[str, Any]:
    """An API key as it is made, its secret with it; scopes are what it may do of what its role allows."""
    body = {"name": "Billing", "role_ids": [await role_named(who, role)], "scopes": [*scopes]} | more
    answer = await who.post("/v1/api-keys", body)
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def exchanged(web: Web, secret: str) -> Web:
    """The program that has the secret, signed in."""
    answer = await web.post("/v1/tokens", {"api_key": secret})
    assert answer.is_success, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return Web(web.client, web.database, answer.json()["access_token"])
