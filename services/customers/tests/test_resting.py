"""Users of a partner are disabled, enabled and removed by who manages users, and one administrator is always left (CUS-76, CUS-83)."""

import asyncio
import json

import pytest

from customers_testing.http import PASSWORD, Web, as_owner

BOB = "bob@hafen.example"


async def id_of(who: Web) -> str:
    return str((await who.get("/v1/me")).json()["user"]["id"])


async def lets_in(web: Web, email: str = BOB) -> bool:
    return (await web.post("/v1/sessions", {"email": email, "password": PASSWORD})).status_code == 201


async def test_a_disabled_user_is_signed_out_and_comes_in_again_once_enabled(web: Web) -> None:
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    path = f"/v1/users/{await id_of(bob)}"

    rested = await grace.post(f"{path}/disable", if_match="*")

    assert (rested.status_code, rested.json()["status"]) == (200, "disabled")
    assert (await bob.get("/v1/me")).json()["code"] == "access_ended"
    assert not await lets_in(web)
    assert (await grace.post(f"{path}/disable", if_match="*")).json()["code"] == "user_disabled"
    woken = await grace.post(f"{path}/enable", if_match=rested.headers["etag"])
    assert woken.json()["status"] == "active"
    assert await lets_in(web)
    assert (await grace.post(f"{path}/enable", if_match="*")).json()["code"] == "user_not_disabled"
    facts = "select json_agg(topic order by id) from outbox where topic in ('user.disabled', 'session.ended')"
    assert json.loads(str(await as_owner(web, facts)))[-1:] == ["user.disabled"]


async def test_who_had_set_no_password_is_invited_again(web: Web) -> None:
    grace = await web.a_partner()
    role = (await grace.get("/v1/roles")).json()["items"][0]["id"]
    bob = (await grace.post("/v1/users", {"name": "Bob", "email": BOB, "role_ids": [role]})).json()
    await grace.post(f"/v1/users/{bob['id']}/disable", if_match="*")
    assert await as_owner(web, "select count(*) from links where user_id = $1::uuid and used_at is null", bob["id"]) == 0

    woken = await grace.post(f"/v1/users/{bob['id']}/enable", if_match="*")

    assert woken.json()["status"] == "invited"
    assert (await web.invited(BOB)).token


async def test_a_removed_user_is_gone_and_its_address_is_free(web: Web) -> None:
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    path = f"/v1/users/{await id_of(bob)}"

    assert (await grace.delete(path)).status_code == 428
    assert (await grace.delete(path, if_match="*")).status_code == 204

    assert (await bob.get("/v1/me")).status_code == 401
    assert (await grace.get(path)).json()["code"] == "user_not_found"
    assert not await lets_in(web)
    last = "select payload is null from outbox where topic = 'user.changed' order by id desc limit 1"
    assert await as_owner(web, last) is True
    assert (await web.a_colleague(grace)).token


@pytest.mark.parametrize("deed", ["disable", "remove"])
async def test_nobody_does_it_to_itself_and_others_do_it_to_nobody(web: Web, deed: str) -> None:
    """CUS-80, CUS-82."""
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    stranger = await web.a_partner("Berg IT", "berg.example")
    grace_id = await id_of(grace)

    async def tried(who: Web) -> str:
        path = f"/v1/users/{grace_id}"
        answer = await (who.delete(path, if_match="*") if deed == "remove" else who.post(f"{path}/disable", if_match="*"))
        return str(answer.json()["code"])

    assert [await tried(who) for who in (grace, bob, stranger)] == ["not_oneself", "not_allowed", "user_not_found"]


@pytest.mark.parametrize("deed", ["disable", "remove"])
async def test_of_two_administrators_who_take_each_other_away_at_once_one_is_left(web: Web, deed: str) -> None:
    """CUS-83."""
    grace = await web.a_partner()
    bob = await web.a_colleague(grace, role="Partner Administrator")
    grace_id, bob_id = await id_of(grace), await id_of(bob)

    async def tried(who: Web, whom: str) -> int:
        path = f"/v1/users/{whom}"
        answer = await (who.delete(path, if_match="*") if deed == "remove" else who.post(f"{path}/disable", if_match="*"))
        return answer.status_code

    answers = await asyncio.gather(tried(grace, bob_id), tried(bob, grace_id))

    assert min(answers) in {200, 204}
    assert max(answers) in {401, 409}
    active = "select count(*) from users where status = 'active' and kind = 'partner'"
    assert await as_owner(web, active) == 1


async def test_a_customers_user_is_not_managed_among_the_partners_own(web: Web) -> None:
    ada = await web.a_customer_user()
    grace = await web.sign_in("grace@hafen.example")

    refused = await grace.post(f"/v1/users/{await id_of(ada)}/disable", if_match="*")

    assert (refused.status_code, refused.json()["code"]) == (404, "user_not_found")
