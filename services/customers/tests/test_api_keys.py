"""A program works for a partner by an API key: within its scopes and its roles' levels, until it expires or is revoked (MKT-17)."""

import asyncio
import re
from datetime import timedelta

from chassis.access.permissions import Permission
from chassis_testing.clock import FixedClock
from customers.rules import key_secrets
from customers_testing.http import OPERATOR, Web, a_body, as_owner
from customers_testing.people import a_key, exchanged

PEOPLES = ("/v1/me", "/v1/users", "/v1/roles", "/v1/api-keys", "/v1/sessions", "/v1/credentials", "/v1/password-resets", "/v1/tokens")


async def code_of(web: Web, secret: str) -> str:
    return str((await web.post("/v1/tokens", {"api_key": secret})).json().get("code"))


async def test_a_key_does_what_its_scopes_and_its_roles_both_allow(web: Web) -> None:
    """MKT-17: the role permits to add and to remove customers, the scopes only to add them."""
    grace = await web.a_partner()
    program = await exchanged(web, (await a_key(grace, "customers.add"))["secret"])

    created = await program.post("/v1/customers", a_body())
    assert created.status_code == 201, created.text
    path = f"/v1/customers/{created.json()['id']}"
    refused = await program.post(f"{path}/disable", if_match="*")

    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert [one["id"] for one in (await program.get("/v1/customers")).json()["items"]] == [created.json()["id"]]
    assert (await program.get("/v1/me/rights")).json()["grants"][0]["permissions"] == ["customers.add"]


async def test_a_key_sees_the_customers_that_its_roles_show(web: Web) -> None:
    """CUS-85: no access means absent, read means read."""
    grace = await web.a_partner()
    customer = (await grace.post("/v1/customers", a_body())).json()["id"]
    for level, found, tagged in (("none", 404, 404), ("read", 200, 403)):
        role = await grace.post("/v1/roles", {"name": level, "permissions": [], "all_customers": level})
        program = await exchanged(web, (await a_key(grace, role=role.json()["name"]))["secret"])

        assert (await program.get(f"/v1/customers/{customer}")).status_code == found
        assert (await program.put(f"/v1/customers/{customer}/tags", {"tags": ["vip"]}, if_match="*")).status_code == tagged


async def test_no_key_does_what_is_for_people(web: Web) -> None:
    """Whatever a path promises to people it refuses programs, scopes or not; the API's own document says which paths there are."""
    grace = await web.a_partner()
    everything = sorted(set(Permission) - {"roles.manage", "users.manage"})
    program = await exchanged(web, (await a_key(grace, *everything, role="Partner Administrator"))["secret"])
    public = {"/v1/sessions", "/v1/sessions/refresh", "/v1/sessions/end", "/v1/sessions/second-factor", "/v1/tokens", "/v1/me/rights"}
    public |= {"/v1/credentials/set-password", "/v1/password-resets"}

    document = (await web.get("/openapi.json")).json()
    asked = 0
    for path, operations in document["paths"].items():
        if path.startswith(PEOPLES) and path not in public:
            for method in operations:
                answer = await program.send(method.upper(), _NAMED.sub(_ID, path), {}, if_match="*")
                assert answer.status_code in {403, 422}, (method, path, answer.text)
                assert answer.status_code == 422 or answer.json()["code"] == "wrong_principal", (method, path, answer.text)
                asked += answer.status_code == 403
    assert asked > 15


_NAMED = re.compile(r"\{\w+\}")
_ID = "01936b00-0000-7000-8000-000000000009"


async def test_the_secret_is_said_once_and_kept_as_a_hash(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)

    listed = (await grace.get("/v1/api-keys")).json()["items"]
    one = await grace.get(f"/v1/api-keys/{made['id']}")

    assert listed == [one.json()]
    assert one.json() | {"secret": made["secret"]} == made
    assert made["secrets"][0]["ending"] == made["secret"][-4:]
    assert made["secret"] not in one.text
    for table in ("users", "outbox", "audit", "key_secrets", "idempotency_keys"):
        rows = f"select string_agg(one::text, ' ') from {table} one"  # noqa: S608 (names of tables)
        assert made["secret"] not in str(await as_owner(web, rows))
    payloads = "select string_agg(convert_from(payload, 'utf8'), ' ') from outbox"
    assert made["secret"] not in str(await as_owner(web, payloads))


def test_a_secret_is_known_by_its_name_and_checks_itself() -> None:
    """Scanners of leaked secrets find it; who mistypes it is told without anybody looking it up."""
    secret = key_secrets.new()

    assert secret.text.startswith("pdk_")
    assert len(secret.text) == key_secrets.LENGTH
    assert key_secrets.read(secret.text) == secret
    mistyped = secret.text[:-7] + chr(ord(secret.text[-7]) ^ 1) + secret.text[-6:]
    for wrong in (secret.text[:-1], secret.text + "0", mistyped, secret.text[:10] + "é" + secret.text[11:], "pdk_" + "0" * 49):
        assert key_secrets.read(wrong) is None


async def test_a_revoked_key_is_worth_nothing_at_once(web: Web) -> None:
    """MKT-17: neither it nor a token that it was exchanged for; other services are told before everything else."""
    grace = await web.a_partner()
    made = await a_key(grace)
    program = await exchanged(web, made["secret"])

    assert (await grace.delete(f"/v1/api-keys/{made['id']}")).status_code == 428
    assert (await grace.delete(f"/v1/api-keys/{made['id']}", if_match='"7"')).status_code == 412
    assert (await grace.delete(f"/v1/api-keys/{made['id']}", if_match="*")).status_code == 204

    assert (await program.get("/v1/customers")).json()["code"] == "access_ended"
    assert await code_of(web, made["secret"]) == "api_key_invalid"
    assert (await grace.get("/v1/api-keys")).json()["items"] == []
    assert (await grace.delete(f"/v1/api-keys/{made['id']}", if_match="*")).json()["code"] == "api_key_not_found"
    told = "select min(lane) from outbox where entity = $1 and topic = 'user.changed'"
    assert await as_owner(web, told, made["id"]) == 0


async def test_a_rotated_key_is_good_beside_the_new_one_while_the_overlap_lasts(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)

    answer = await grace.post(f"/v1/api-keys/{made['id']}/rotate", {"overlap": "PT1H"}, if_match='"1"')
    assert answer.status_code == 200, answer.text
    new = answer.json()

    assert [one["ending"] for one in new["secrets"]] == [made["secret"][-4:], new["secret"][-4:]]
    for secret in (made["secret"], new["secret"]):
        assert (await (await exchanged(web, secret)).get("/v1/customers")).status_code == 200
    clock.move(timedelta(hours=1))
    assert await code_of(web, made["secret"]) == "api_key_invalid"
    await exchanged(web, new["secret"])


async def test_without_overlap_a_leaked_secret_and_its_tokens_are_over_at_once(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)
    program = await exchanged(web, made["secret"])

    new = (await grace.post(f"/v1/api-keys/{made['id']}/rotate", {"overlap": "PT0S"}, if_match="*")).json()

    assert (await program.get("/v1/customers")).json()["code"] == "access_ended"
    assert await code_of(web, made["secret"]) == "api_key_invalid"
    await exchanged(web, new["secret"])


async def test_a_key_expires_and_so_does_its_last_token(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    made = await a_key(grace, expires_at=(clock.now() + timedelta(minutes=2)).isoformat())

    answer = await web.post("/v1/tokens", {"api_key": made["secret"]})

    assert answer.json()["expires_in"] <= 120
    clock.move(timedelta(minutes=2))
    assert await code_of(web, made["secret"]) == "api_key_invalid"
    denied = "select count(*) from audit where code = 'api_key_invalid' and subject_type = 'api_key'"
    assert await as_owner(web, denied) == 1
    past = {"name": "Old", "role_ids": made["role_ids"], "scopes": [], "expires_at": clock.now().isoformat()}
    assert (await grace.post("/v1/api-keys", past)).json()["code"] == "expiry_passed"


async def test_when_it_was_used_last_is_written_once_a_minute(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)
    used = []
    for seconds in (0, 30, 40):
        clock.move(timedelta(seconds=seconds))
        await exchanged(web, made["secret"])
        used.append((await grace.get(f"/v1/api-keys/{made['id']}")).json()["secrets"][0]["used_at"])

    assert used[0] == used[1] != used[2]


async def test_a_disabled_partners_keys_open_nothing(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)
    await as_owner(web, "update partners set status = 'disabled' where name = 'Hafen IT'")

    assert await code_of(web, made["secret"]) == "sign_in_refused"


async def test_what_is_changed_of_a_key_takes_effect_at_once(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace, "customers.add")
    program = await exchanged(web, made["secret"])

    changed = await grace.patch(f"/v1/api-keys/{made['id']}", {"scopes": [], "name": "Reader"}, if_match='"1"')

    assert (changed.json()["scopes"], changed.json()["name"], changed.headers["etag"]) == ([], "Reader", '"2"')
    assert (await program.post("/v1/customers", a_body())).json()["code"] == "not_allowed"
    again = await grace.patch(f"/v1/api-keys/{made['id']}", {"name": "Reader"}, if_match='"2"')
    assert again.headers["etag"] == '"2"'


async def test_permissions_for_people_are_no_scopes(web: Web) -> None:
    grace = await web.a_partner()
    body = {"name": "Root", "role_ids": [_ID], "scopes": ["roles.manage", "audit.read", "users.manage"]}

    answer = await grace.post("/v1/api-keys", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "scope_for_people")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/scopes/0", "/scopes/2"]
    assert (await grace.post("/v1/api-keys", body | {"scopes": []})).json()["code"] == "role_not_found"


async def test_who_does_not_manage_roles_and_other_partners_make_and_see_no_keys(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)
    bob = await web.a_colleague(grace)
    stranger = await web.a_partner("Berg IT", "berg.example")
    path = f"/v1/api-keys/{made['id']}"

    assert [(await who.get(path)).status_code for who in (bob, stranger)] == [403, 404]
    assert [(await who.delete(path, if_match="*")).status_code for who in (bob, stranger)] == [403, 404]
    assert [(await who.post(f"{path}/rotate", {}, if_match="*")).status_code for who in (bob, stranger)] == [403, 404]
    assert (await stranger.get("/v1/api-keys")).json()["items"] == []
    assert (await web.get("/v1/api-keys")).status_code == 401
    assert (await grace.get("/v1/users")).json()["items"][0]["name"] != "Billing"
    assert len((await grace.get("/v1/users")).json()["items"]) == 2


async def test_the_operators_own_programs_have_keys_too(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    program = await exchanged(web, (await a_key(operator))["secret"])

    assert (await program.get("/v1/customers")).json()["items"] == []
    assert (await program.get("/v1/partners")).json()["code"] == "wrong_principal"


async def test_of_many_rotations_at_once_one_is_done(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)

    answers = await asyncio.gather(*(grace.post(f"/v1/api-keys/{made['id']}/rotate", {}, if_match='"1"') for _ in range(20)))

    assert sorted(answer.status_code for answer in answers).count(200) == 1
    assert len((await grace.get(f"/v1/api-keys/{made['id']}")).json()["secrets"]) == 2


async def test_there_are_not_more_keys_than_can_be_listed(web: Web) -> None:
    grace = await web.a_partner()
    made = await a_key(grace)
    copied = (
        "insert into users (partner_id, id, version, kind, status, gen, name, language, role_ids, scopes, created_at, updated_at)"
        " select partner_id, gen_random_uuid(), 1, kind, status, 1, name, language, role_ids, scopes, created_at, updated_at"
        " from users cross join generate_series(1, 198) where id = $1"
    )
    await as_owner(web, copied, made["id"])
    body = {"name": "Last", "role_ids": made["role_ids"], "scopes": []}

    answers = await asyncio.gather(*(grace.post("/v1/api-keys", body) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "too_many_api_keys"}
