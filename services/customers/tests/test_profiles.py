"""What users say of themselves, and how they want to be reached (CUS-77, CUS-78, CUS-92, GW-13)."""

import asyncio
import json
from typing import Any

import pytest

from customers_testing.http import PASSWORD, Web, as_owner

MAIL = {"type": "email", "value": "grace@home.example"}
PHONE = {"type": "sms", "value": "+49 40 123 456"}


async def etag(who: Web) -> str:
    return str((await who.get("/v1/me")).headers["etag"])


async def contacts(who: Web) -> list[tuple[str, str, bool]]:
    found = (await who.get("/v1/me")).json()["user"]["contacts"]
    return [(one["type"], one["value"], one["primary"]) for one in found]


async def added(who: Web, **said: Any) -> Any:
    answer = await who.post("/v1/me/contacts", said)
    assert answer.status_code == 201, answer.text
    return answer.json()["contacts"][-1]["id"]


async def test_somebody_changes_its_own_name_and_language(web: Web) -> None:
    """CUS-77, CUS-92: what is left out stays; no language of one's own is the partner's."""
    grace = await web.a_partner(language="de")

    changed = await grace.patch("/v1/me", {"name": "Grace B. Hopper", "language": "fr"}, if_match=await etag(grace))
    assert (changed.json()["name"], changed.json()["language"]) == ("Grace B. Hopper", "fr")
    back = await grace.patch("/v1/me", {"language": None}, if_match=changed.headers["etag"])
    assert (back.json()["name"], back.json()["language"]) == ("Grace B. Hopper", "de")
    same = await grace.patch("/v1/me", {}, if_match=back.headers["etag"])
    assert same.headers["etag"] == back.headers["etag"]


async def test_who_has_not_seen_the_newest_changes_nothing(web: Web) -> None:
    grace = await web.a_partner()
    seen = await etag(grace)
    await grace.patch("/v1/me", {"name": "Grace B."}, if_match=seen)

    assert (await grace.patch("/v1/me", {"name": "Eve"})).status_code == 428
    assert (await grace.patch("/v1/me", {"name": "Eve"}, if_match=seen)).status_code == 412


async def test_a_customers_user_has_a_profile_too(web: Web) -> None:
    """It writes its own row and no other."""
    ada = await web.a_customer_user()

    changed = await ada.patch("/v1/me", {"name": "Ada King", "language": None}, if_match=await etag(ada))
    await added(ada, **PHONE)

    assert (changed.status_code, changed.json()["name"], changed.json()["language"]) == (200, "Ada King", "en")
    assert await contacts(ada) == [("sms", "+4940123456", True)]


async def test_of_ones_contacts_exactly_one_is_the_primary_one(web: Web) -> None:
    """CUS-78: added, edited, removed."""
    grace = await web.a_partner()
    mail = await added(grace, **MAIL)
    phone = await added(grace, **PHONE)
    assert await contacts(grace) == [("email", "grace@home.example", True), ("sms", "+4940123456", False)]

    await grace.put(f"/v1/me/contacts/{phone}", PHONE | {"primary": True}, if_match=await etag(grace))
    assert await contacts(grace) == [("email", "grace@home.example", False), ("sms", "+4940123456", True)]
    refused = await grace.put(f"/v1/me/contacts/{phone}", PHONE, if_match=await etag(grace))
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/primary", "primary_needed")]
    await grace.delete(f"/v1/me/contacts/{phone}", if_match=await etag(grace))
    assert await contacts(grace) == [("email", "grace@home.example", True)]
    await grace.delete(f"/v1/me/contacts/{mail}", if_match=await etag(grace))
    assert await contacts(grace) == []


async def test_of_many_added_at_once_all_are_there_and_one_is_primary(web: Web) -> None:
    grace = await web.a_partner()

    await asyncio.gather(*(added(grace, type="email", value=f"g{number}@home.example", primary=True) for number in range(8)))

    assert sorted(primary for _, _, primary in await contacts(grace)) == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"type": "sms", "value": "040 123456"}, "/value", "phone"),
        ({"type": "sms", "value": "nobody"}, "/value", "phone"),
        ({"type": "email", "value": "GRACE@home.example"}, "/value", "contact_exists"),
    ],
)
async def test_what_nobody_can_be_reached_by_is_refused(web: Web, said: dict[str, str], pointer: str, code: str) -> None:
    grace = await web.a_partner()
    await added(grace, **MAIL)

    refused = await grace.post("/v1/me/contacts", said)

    assert (refused.status_code, [(one["pointer"], one["code"]) for one in refused.json()["errors"]]) == (422, [(pointer, code)])


async def test_there_are_ten_at_most_and_none_that_is_not_there_is_changed(web: Web) -> None:
    grace = await web.a_partner()
    for number in range(10):
        await added(grace, type="email", value=f"g{number}@home.example")

    assert (await grace.post("/v1/me/contacts", PHONE)).json()["code"] == "too_many_contacts"
    gone = await grace.delete("/v1/me/contacts/00000000-0000-0000-0000-000000000000", if_match="*")
    assert (gone.status_code, gone.json()["code"]) == (404, "contact_not_found")


async def test_who_manages_users_edits_theirs_and_others_do_not(web: Web) -> None:
    """CUS-77, CUS-80: via the list of users."""
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    bob_id, grace_id = [(await who.get("/v1/me")).json()["user"]["id"] for who in (bob, grace)]
    stranger = await web.a_partner("Berg IT", "berg.example")

    renamed = await grace.patch(f"/v1/users/{bob_id}", {"name": "Robert Kahn"}, if_match="*")
    reached = await grace.post(f"/v1/users/{bob_id}/contacts", PHONE)

    assert (renamed.json()["name"], reached.json()["contacts"][0]["value"]) == ("Robert Kahn", "+4940123456")
    assert (await bob.patch(f"/v1/users/{grace_id}", {"name": "Eve"}, if_match="*")).json()["code"] == "not_allowed"
    assert (await stranger.patch(f"/v1/users/{bob_id}", {"name": "Eve"}, if_match="*")).json()["code"] == "user_not_found"


async def test_how_somebody_is_reached_is_told_as_personal_and_audited(web: Web) -> None:
    """CUS-78: notifications writes by it."""
    grace = await web.a_partner()
    await added(grace, **MAIL)

    state = "select convert_from(payload, 'utf8') from outbox where topic = 'user.changed' order by id desc limit 1"
    told = json.loads(str(await as_owner(web, state)))
    (one,) = told["state"]["contacts"]
    assert (told["facts"], one["value"], one["primary"]) == (["user.updated"], "grace@home.example", True)
    audited = "select after::text from audit_values v join audit a on a.id = v.audit_id where a.operation = 'profiles_add_own_contact'"
    assert "grace@home.example" in str(await as_owner(web, audited))


async def test_asked_twice_under_one_key_a_contact_is_added_once(web: Web) -> None:
    grace = await web.a_partner()

    answers = [await grace.post("/v1/me/contacts", MAIL, idempotency_key="once") for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert len(await contacts(grace)) == 1
    assert PASSWORD not in answers[0].text
