"""A partner's users sign in where their company signs them in, against a real OpenID provider (MKT-18)."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from chassis_testing.clock import FixedClock
from customers.rules.outgoing import NotReached, Outgoing
from customers_testing.http import OPERATOR, PASSWORD, Web, as_owner
from customers_testing.people import role_named

PAGE = "https://console.hafen.example/signed-in"
SECRET = "the-clients-own-secret"


@dataclass(frozen=True, slots=True)
class Company:
    """Hafen IT with its own sign-in for hafen.example, which the operator has confirmed."""

    web: Web
    grace: Web
    issuer: str
    connection: str

    async def begun(self, email: str = "grace@hafen.example") -> dict[str, Any]:
        answer = await self.web.post("/v1/sso/begin", {"email": email})
        assert answer.status_code == 200, answer.text
        began: dict[str, Any] = answer.json()
        return began

    async def returned(self, began: dict[str, Any], who: str) -> dict[str, str]:
        """Sign in at the provider, which sends the browser back to the page."""
        async with httpx.AsyncClient() as browser:
            back = await browser.post(began["authorization_url"], data={"sub": who})
        assert back.status_code == 302, back.text
        assert back.headers["location"].startswith(PAGE)
        said = parse_qs(urlsplit(back.headers["location"]).query)
        return {"state": said["state"][0], "code": said["code"][0], "binding": began["binding"]}

    async def finished(self, who: str) -> httpx.Response:
        return await self.web.post("/v1/sso/finish", await self.returned(await self.begun(), who))


def known(name: str, *, verified: bool = True, email: str | None = None) -> User:
    return User(sub=name, claims={"email": email or f"{name}@hafen.example", "email_verified": verified, "name": name.title()})


@pytest.fixture
async def company(web: Web, clock: FixedClock) -> AsyncIterator[Company]:
    people = (known("grace"), known("new"), known("bob"), known("liar", verified=False, email="grace@hafen.example"))
    elsewhere = (known("foreign", email="max@berg.example"), known("operator", email=OPERATOR))
    clock.move(datetime.now(UTC) - clock.now())
    with run_server_in_thread(user_claims=(*people, *elsewhere)) as server:
        grace = await web.a_partner()
        issuer = f"http://127.0.0.1:{server.server_port}"
        made = await grace.post("/v1/sso-connections", await a_connection(grace, issuer))
        assert made.status_code == 201, made.text
        company = Company(web, grace, issuer, f"/v1/sso-connections/{made.json()['id']}")
        assert (await confirmed(company, "hafen.example")).status_code == 200
        yield company


async def a_connection(who: Web, issuer: str, **changes: Any) -> dict[str, Any]:
    role = await role_named(who, "Administrator")
    body = {"issuer": issuer, "client_id": "partnerdeck", "client_secret": SECRET, "redirect_uri": PAGE}
    return body | {"domains": ["hafen.example", "hafen.test"], "new_users": [role]} | changes


async def confirmed(company: Company, domain: str) -> httpx.Response:
    operator = await company.web.sign_in(OPERATOR)
    partner = (await company.grace.get("/v1/me")).json()["partner"]["id"]
    headers = {"authorization": f"Bearer {operator.token}", "partnerdeck-acting-as": partner, "if-match": "*"}
    return await company.web.client.post(f"{company.connection}/verify", json={"domain": domain}, headers=headers)


async def test_a_user_signs_in_where_its_company_signs_it_in(company: Company) -> None:
    """MKT-18: with the code, PKCE, state and nonce that OpenID Connect asks for."""
    began = await company.begun()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(began["authorization_url"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", "partnerdeck")
    assert re.fullmatch(r"[\w-]{43}", asked["code_challenge"])
    assert asked["nonce"] != asked["state"]

    answer = await company.web.post("/v1/sso/finish", await company.returned(began, "grace"))

    assert answer.status_code == 201, answer.text
    signed_in = Web(company.web.client, company.web.database, answer.json()["access_token"])
    assert (await signed_in.get("/v1/me")).json()["user"]["email"] == "grace@hafen.example"


async def test_what_came_back_is_good_once_and_for_whoever_began(company: Company) -> None:
    """Of many who send it at once one is let in; without the binding of the browser that began, nobody is."""
    began = await company.begun()
    returned = await company.returned(began, "grace")

    stolen = await company.web.post("/v1/sso/finish", returned | {"binding": "another browser"})
    answers = await asyncio.gather(*(company.web.post("/v1/sso/finish", returned) for _ in range(20)))

    assert stolen.json()["code"] == "sso_not_confirmed"
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 19]


async def test_a_sign_in_that_took_too_long_is_over(company: Company, clock: FixedClock) -> None:
    returned = await company.returned(await company.begun(), "grace")
    clock.move(timedelta(minutes=10))

    assert (await company.web.post("/v1/sso/finish", returned)).json()["code"] == "sso_not_confirmed"


async def test_a_code_of_another_sign_in_is_not_taken(company: Company) -> None:
    """Its nonce is another."""
    first, second = await company.begun(), await company.begun()
    mixed = await company.returned(second, "grace")
    mixed["code"] = (await company.returned(first, "grace"))["code"]

    assert (await company.web.post("/v1/sso/finish", mixed)).json()["code"] == "sso_not_confirmed"


@pytest.mark.parametrize("who", ["liar", "foreign", "operator"])
async def test_nobody_is_let_in_by_an_address_that_is_not_verified_or_not_the_companys(company: Company, who: str) -> None:
    await company.web.a_partner("Berg IT", "berg.example")

    answer = await company.finished(who)

    assert (answer.status_code, answer.json()["code"]) == (401, "sso_not_confirmed")


async def test_a_first_sign_in_makes_the_user_with_the_roles_of_the_connection(company: Company) -> None:
    answer = await company.finished("new")
    assert answer.status_code == 201, answer.text
    new = Web(company.web.client, company.web.database, answer.json()["access_token"])

    me = (await new.get("/v1/me")).json()

    assert (me["user"]["name"], [one["name"] for one in me["roles"]]) == ("New", ["Administrator"])
    assert (await company.finished("new")).status_code == 201
    assert await as_owner(company.web, "select count(*) from users where email = 'new@hafen.example'") == 1


async def test_who_was_invited_needs_no_password_and_who_is_disabled_is_not_let_in(company: Company) -> None:
    role = await role_named(company.grace, "Administrator")
    await company.grace.post("/v1/users", {"name": "Bob", "email": "bob@hafen.example", "role_ids": [role]})

    assert (await company.finished("bob")).status_code == 201
    await as_owner(company.web, "update users set status = 'disabled' where email = 'bob@hafen.example'")
    assert (await company.finished("bob")).json()["code"] == "sign_in_refused"


async def test_passwords_are_closed_for_the_companys_domain_and_opened_again(company: Company) -> None:
    closed = await company.grace.patch(company.connection, {"passwords_closed": True}, if_match="*")
    assert closed.json()["passwords_closed"] is True

    refused = await company.web.post("/v1/sessions", {"email": "grace@hafen.example", "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "passwords_closed")
    wrong = await company.web.post("/v1/sessions", {"email": "grace@hafen.example", "password": "wrong"})
    assert wrong.json()["code"] == "credentials_wrong"
    assert (await company.finished("grace")).status_code == 201

    await company.grace.patch(company.connection, {"passwords_closed": False}, if_match="*")
    assert (await company.web.sign_in("grace@hafen.example")).token


async def test_a_domain_counts_once_the_operator_has_confirmed_it_and_for_one_partner(company: Company) -> None:
    berg = await company.web.a_partner("Berg IT", "berg.example")
    theirs = await berg.post("/v1/sso-connections", await a_connection(berg, company.issuer))
    path = f"/v1/sso-connections/{theirs.json()['id']}"

    assert (await company.web.post("/v1/sso/begin", {"email": "x@hafen.test"})).json()["code"] == "no_single_sign_on"
    assert (await company.grace.post(f"{company.connection}/verify", {"domain": "hafen.test"}, if_match="*")).status_code == 403
    assert (await confirmed(company, "berg.example")).json()["code"] == "sso_domain_taken"
    taken = await confirmed(Company(company.web, berg, company.issuer, path), "hafen.example")
    assert (taken.status_code, taken.json()["code"]) == (409, "sso_domain_taken")


async def test_a_connection_is_its_partners_alone_and_its_secret_is_never_said(company: Company) -> None:
    stranger = await company.web.a_partner("Berg IT", "berg.example")
    bob = await company.web.a_colleague(company.grace)

    listed = await company.grace.get("/v1/sso-connections")
    assert listed.json()["items"][0]["verified"] == ["hafen.example"]
    assert SECRET not in listed.text
    for table in ("sso_connections", "sso_secrets", "audit", "outbox", "idempotency_keys"):
        rows = f"select string_agg(one::text, ' ') from {table} one"  # noqa: S608 (names of tables)
        assert SECRET not in str(await as_owner(company.web, rows))
    assert (await stranger.get("/v1/sso-connections")).json()["items"] == []
    assert (await stranger.delete(company.connection, if_match="*")).status_code == 404
    assert (await bob.get("/v1/sso-connections")).status_code == 403
    assert (await company.grace.delete(company.connection)).status_code == 428
    assert (await company.grace.delete(company.connection, if_match='"9"')).status_code == 412
    assert (await company.grace.delete(company.connection, if_match="*")).status_code == 204
    assert (await company.web.post("/v1/sso/begin", {"email": "grace@hafen.example"})).json()["code"] == "no_single_sign_on"


async def test_a_provider_that_says_it_is_another_or_does_not_answer_is_not_used(company: Company) -> None:
    for issuer in (company.issuer.replace("127.0.0.1", "localhost.localdomain"), f"{company.issuer}/elsewhere", "http://127.0.0.1:1"):
        await as_owner(company.web, "update sso_connections set issuer = $1", issuer)
        answer = await company.web.post("/v1/sso/begin", {"email": "grace@hafen.example"})
        assert (answer.status_code, answer.json()["code"]) == (409, "sso_provider_unusable")


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "http://example.com/",
        "https://u:p@example.com/",
    ],
)
async def test_private_addresses_and_unencrypted_ones_are_not_asked(url: str) -> None:
    with pytest.raises(NotReached):
        await Outgoing().get(url)
