"""Who signs in, with what, for how long, and who does not (GW-01, CUS-10, CUS-52, NOT-12)."""

import asyncio
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from argon2 import PasswordHasher
from joserfc.jwk import OKPKey
from sqlalchemy import text

from chassis.database import ApiDatabase
from chassis.keys import KeySet, signing_key
from chassis.tokens import Verifier
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually
from contracts.root import ROOT_PARTNER_ID
from customers.rules.passwords import Passwords
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, a_body, as_owner, link_of


async def session(web: Web, email: str = OPERATOR, password: str = PASSWORD) -> dict[str, Any]:
    answer = await web.post("/v1/sessions", {"email": email, "password": password})
    assert answer.status_code == 201, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def refresh(web: Web, token: str) -> tuple[int, str]:
    answer = await web.post("/v1/sessions/refresh", {"refresh_token": token})
    return answer.status_code, answer.json().get("refresh_token", answer.json().get("code"))


async def a_customer_user(web: Web, **body: Any) -> None:
    """Ada of a new customer, who has set her password by the mailed link."""
    partner = await web.a_partner()
    answer = await partner.post("/v1/customers", a_body(**body))
    assert answer.status_code == 201, answer.text
    token = await link_of(web, "ada@mueller.example", LINK_KEY)
    assert (await web.post("/v1/credentials/set-password", {"token": token, "password": PASSWORD})).status_code == 204


async def test_the_token_says_who_is_signed_in_and_is_checked_with_the_published_key(web: Web, clock: FixedClock) -> None:
    tokens = await session(web)
    keys = (await web.get("/.well-known/jwks.json")).json()["keys"]

    principal = await Verifier(KeySet([public(key) for key in keys])).verify(tokens["access_token"], clock.now())

    assert (str(principal.user_id), principal.kind) == (tokens["user"]["id"], "operator")
    assert tokens["expires_in"] == 300
    assert all("d" not in key for key in keys)


@pytest.mark.parametrize(("email", "password"), [(OPERATOR, "wrong horse battery"), ("nobody@vendor.example", PASSWORD)])
async def test_a_wrong_password_and_an_unknown_address_look_the_same(web: Web, email: str, password: str) -> None:
    answer = await web.post("/v1/sessions", {"email": email, "password": password})

    assert (answer.status_code, answer.json()["code"]) == (401, "credentials_wrong")


async def test_an_unknown_address_costs_as_much_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of nobody is checked all the same: 19 MiB, two passes, one lane."""
    passwords, checked = Passwords(), list[str]()
    check = PasswordHasher.verify

    def counted(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return check(hasher, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)

    assert "m=19456,t=2,p=1" in passwords.hash_now(PASSWORD)
    assert await passwords.verify(None, "nobody has this password") is False
    assert await passwords.verify(passwords.hash_now(PASSWORD), PASSWORD) is True
    assert ["m=19456,t=2,p=1" in one for one in checked] == [True, True]


async def test_addresses_are_compared_without_case(web: Web) -> None:
    assert (await session(web, OPERATOR.upper()))["token_type"] == "Bearer"


async def test_a_refresh_token_is_exchanged_once(web: Web) -> None:
    first = (await session(web))["refresh_token"]

    status, second = await refresh(web, first)
    assert status == 200
    assert second != first
    assert (await refresh(web, second))[0] == 200


async def test_a_refresh_that_is_refused_is_in_the_audit(web: Web) -> None:
    """GW-11: as a sign-in would be."""
    await web.a_customer_user()
    answer = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})
    await as_owner(web, "update customers set status = 'disabled'")

    assert await refresh(web, answer.json()["refresh_token"]) == (403, "sign_in_refused")

    denied = "select string_agg(user_kind || ' ' || operation, ',') from audit where outcome = 'denied' and code = 'sign_in_refused'"
    assert await as_owner(web, denied) == "customer sessions_refresh"


async def test_a_customers_user_that_acts_as_a_partner_is_in_the_audit(web: Web) -> None:
    """GW-11, CUS-85."""
    ada = await web.a_customer_user()

    answer = await ada.send("GET", "/v1/me", partnerdeck_acting_as=str(ROOT_PARTNER_ID))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert await as_owner(web, "select user_kind from audit where outcome = 'denied' and code = 'not_allowed'") == "customer"


async def test_a_used_refresh_token_ends_the_whole_family(web: Web) -> None:
    first = (await session(web))["refresh_token"]
    _, second = await refresh(web, first)

    assert await refresh(web, first) == (401, "session_ended")
    assert await refresh(web, second) == (401, "session_ended")


async def test_of_two_who_refresh_at_once_one_at_most_goes_on(web: Web) -> None:
    first = (await session(web))["refresh_token"]

    answers = await asyncio.gather(*(refresh(web, first) for _ in range(4)))

    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_who_waited_for_a_session_sees_what_was_done_meanwhile(web: Web, api_database: ApiDatabase) -> None:
    """A look that began before the other's commit must not take a used token for a new one."""
    values = {"token": sha256((await session(web))["refresh_token"].encode()).digest()}

    async def look() -> Any:
        async with api_database.at_the_door() as door:
            return (await door.execute(text("select * from door.lock_refresh(:token)"), values)).one()

    async def somebody_waits() -> object:
        return await as_owner(web, "select exists (select from pg_locks where not granted)")

    async with api_database.at_the_door() as first:
        await first.execute(text("select * from door.lock_refresh(:token)"), values)
        second = asyncio.create_task(look())
        await eventually(somebody_waits)
        await first.execute(text("select door.rotate_refresh(:token, '\\x01', now(), now() + interval '1 day')"), values)

    assert (await second).used_at is not None


async def test_a_refresh_token_expires_and_an_unknown_one_is_none(web: Web, clock: FixedClock) -> None:
    first = (await session(web))["refresh_token"]
    clock.move(timedelta(days=14))

    assert await refresh(web, first) == (401, "session_ended")
    assert await refresh(web, "made-up") == (401, "session_ended")


async def test_a_session_that_was_ended_is_over(web: Web) -> None:
    token = (await session(web))["refresh_token"]

    assert (await web.post("/v1/sessions/end", {"refresh_token": token})).status_code == 204
    assert (await web.post("/v1/sessions/end", {"refresh_token": token})).status_code == 204
    assert await refresh(web, token) == (401, "session_ended")


async def test_a_customers_user_sets_its_password_by_the_link_and_signs_in(web: Web) -> None:
    """CUS-10, NOT-12: it sees its own customer and its partner's support, nothing else."""
    await a_customer_user(web)

    ada = await web.sign_in("ada@mueller.example")

    me = (await ada.get("/v1/me")).json()
    assert (me["user"]["kind"], me["partner"]["name"], me["roles"]) == ("customer", "Hafen IT", [])
    assert (await ada.get(f"/v1/customers/{me['user']['customer_id']}")).status_code == 200
    assert (await ada.get("/v1/customers")).json()["code"] == "wrong_principal"


async def test_a_customers_user_sees_no_other_customer_of_its_partner(web: Web) -> None:
    await a_customer_user(web)
    partner = await web.sign_in("grace@hafen.example")
    other = (await partner.post("/v1/customers", a_body("Berg Bau", "berg.example"))).json()

    ada = await web.sign_in("ada@mueller.example")

    answer = await ada.get(f"/v1/customers/{other['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")


async def test_the_user_of_a_partner_managed_customer_cannot_sign_in(web: Web) -> None:
    """CUS-52: refused with the rule, and only to who knows the password."""
    await a_customer_user(web, management_type="partner_managed")

    answer = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (403, "partner_managed", "CUS-52")
    wrong = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": "something else"})
    assert wrong.json()["code"] == "credentials_wrong"


async def test_a_link_is_good_once(web: Web) -> None:
    await a_customer_user(web)
    token = await link_of(web, "ada@mueller.example", LINK_KEY)

    again = await web.post("/v1/credentials/set-password", {"token": token, "password": "another good password"})

    assert (again.status_code, again.json()["code"]) == (422, "link_invalid")
    assert (await web.sign_in("ada@mueller.example")).token


async def test_a_link_expires(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    await partner.post("/v1/customers", a_body())
    token = await link_of(web, "ada@mueller.example", LINK_KEY)
    clock.move(timedelta(days=30))

    answer = await web.post("/v1/credentials/set-password", {"token": token, "password": PASSWORD})

    assert answer.json()["code"] == "link_invalid"


@pytest.mark.parametrize("password", ["short", "x" * 129, "ADA@mueller.example"])
async def test_a_refused_password_leaves_the_link_good(web: Web, password: str) -> None:
    partner = await web.a_partner()
    await partner.post("/v1/customers", a_body())
    token = await link_of(web, "ada@mueller.example", LINK_KEY)

    refused = await web.post("/v1/credentials/set-password", {"token": token, "password": password})
    assert (refused.status_code, refused.json()["code"]) == (422, "password_refused")
    assert (await web.post("/v1/credentials/set-password", {"token": token, "password": PASSWORD})).status_code == 204


async def test_a_forged_link_is_none(web: Web) -> None:
    partner = await web.a_partner()
    await partner.post("/v1/customers", a_body())
    forged = await link_of(web, "ada@mueller.example", "another-key-another-key-another-key")

    answer = await web.post("/v1/credentials/set-password", {"token": forged, "password": PASSWORD})

    assert answer.json()["code"] == "link_invalid"


async def test_nobody_of_a_customer_in_review_signs_in(web: Web) -> None:
    """CUS-13: not even with a link."""
    await a_customer_user(web, company=a_body()["company"] | {"name": "Acme <b>"})

    answer = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_refused")


def test_a_key_that_cannot_sign_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="signing key"):
        signing_key("nonsense")


def public(key: dict[str, str]) -> Any:
    return OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x", "kid")})


async def test_a_disabled_partner_lets_nobody_in(web: Web) -> None:
    """Neither by password nor by a token from before."""
    await web.a_partner()
    token = (await session(web, "grace@hafen.example"))["refresh_token"]
    await as_owner(web, "update partners set status = 'disabled' where name = 'Hafen IT'")

    answer = await web.post("/v1/sessions", {"email": "grace@hafen.example", "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_refused")
    assert await refresh(web, token) == (403, "sign_in_refused")


async def test_a_new_generation_ends_every_session(web: Web) -> None:
    token = (await session(web))["refresh_token"]
    await as_owner(web, "update users set gen = gen + 1")

    assert await refresh(web, token) == (401, "session_ended")


async def audited(web: Web) -> list[tuple[str, str, str | None]]:
    """What the audit says of sessions: operation, outcome and code."""
    found = (
        "select coalesce(json_agg(json_build_array(operation, outcome, code) order by id), '[]') from audit where subject_type = 'session'"
    )
    return [tuple(entry) for entry in json.loads(str(await as_owner(web, found)))]


async def test_whoever_signs_in_and_out_is_in_the_audit_before_the_answer(web: Web) -> None:
    """GW-11: logons."""
    tokens = await session(web)
    await refresh(web, tokens["refresh_token"])
    assert await refresh(web, tokens["refresh_token"]) == (401, "session_ended")
    again = await session(web)
    await web.post("/v1/sessions/end", {"refresh_token": again["refresh_token"]})

    assert await audited(web) == [
        ("sessions_sign_in", "done", None),
        ("sessions_refresh", "denied", "session_ended"),
        ("sessions_refresh", "done", None),
        ("sessions_sign_in", "done", None),
        ("sessions_end", "done", None),
    ]


async def test_who_is_not_let_in_is_in_the_audit_too(web: Web) -> None:
    """GW-11, CUS-52."""
    await a_customer_user(web)
    await as_owner(web, "update customers set management_type = 'partner_managed'")
    before = len(await audited(web))

    refused = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})
    wrong = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": "wrong horse battery"})

    assert (refused.json()["code"], wrong.json()["code"]) == ("partner_managed", "credentials_wrong")
    assert (await audited(web))[before:] == [
        ("sessions_sign_in", "denied", "partner_managed"),
        ("sessions_sign_in", "denied", "credentials_wrong"),
    ]


async def test_an_attempt_on_an_account_that_does_not_exist_is_audited_as_one_on_another(web: Web) -> None:
    """GW-11: with its own partner; with the operator's where nobody has the address. So both take as long."""
    await web.a_partner()
    for email in ("grace@hafen.example", "nobody@hafen.example"):
        await web.post("/v1/sessions", {"email": email, "password": "wrong horse battery"})

    found = (
        "select json_agg(json_build_array(p.name, a.user_id = '00000000-0000-0000-0000-000000000000') order by a.id)"
        " from audit a join partners p on p.id = a.partner_id where a.code = 'credentials_wrong'"
    )
    assert json.loads(str(await as_owner(web, found))) == [["Hafen IT", False], ["Root", True]]


async def test_what_ended_a_session_is_told(web: Web) -> None:
    """GW-01: signing out, and a token that came a second time."""
    first = (await session(web))["refresh_token"]
    await refresh(web, first)
    await refresh(web, first)
    await web.post("/v1/sessions/end", {"refresh_token": (await session(web))["refresh_token"]})

    told = "select json_agg(convert_from(payload, 'utf8')::json ->> 'reason' order by id) from outbox where topic = 'session.ended'"
    assert json.loads(str(await as_owner(web, told))) == ["reuse", "signed_out"]


@pytest.mark.parametrize("how", ["reuse", "signed out"])
async def test_what_ends_a_session_ends_its_access_tokens_everywhere(web: Web, how: str) -> None:
    """GW-01: whoever stole them too. The user's other sessions exchange their refresh tokens, and go on."""
    stolen, other = await session(web), await session(web)
    if how == "reuse":
        await refresh(web, stolen["refresh_token"])
        await refresh(web, stolen["refresh_token"])
    else:
        await web.post("/v1/sessions/end", {"refresh_token": stolen["refresh_token"]})

    thief = Web(web.client, web.database, stolen["access_token"])
    assert (await thief.get("/v1/me")).json()["code"] == "access_ended"
    status, _ = await refresh(web, other["refresh_token"])
    assert status == 200
    generation = "select gen from users where email = $1"
    before = await as_owner(web, generation, OPERATOR)
    await refresh(web, stolen["refresh_token"])
    await web.post("/v1/sessions/end", {"refresh_token": stolen["refresh_token"]})
    assert await as_owner(web, generation, OPERATOR) == before


async def test_a_session_ends_after_thirty_days_however_often_it_is_used(web: Web, clock: FixedClock) -> None:
    token = (await session(web))["refresh_token"]
    for _ in range(2):
        clock.move(timedelta(days=13))
        status, token = await refresh(web, token)
        assert status == 200
    clock.move(timedelta(days=5))

    assert await refresh(web, token) == (401, "session_ended")
