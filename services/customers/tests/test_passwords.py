"""What a password must be, and how somebody changes its own (GW-01, CUS-77; NIST SP 800-63B-4)."""

import pytest

from customers.errors import PasswordRefused
from customers.rules import password_rules
from customers.rules.password_rules import common
from customers.rules.passwords import Passwords
from customers_testing.http import OPERATOR, PASSWORD, Web, as_owner

KNOWN = ("ada.lovelace@mueller.example", "Ada Lovelace", "Müller & Söhne GmbH")
ANOTHER = "quiet lamps drift north"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("fourteen chars", "length"),
        ("x" * 129, "length"),
        ("1234567812345678", "common"),
        ("!!!football12345", "common"),
        ("passwordpassword", "common"),
        ("abcabcabcabcabcabc", "repetitive"),
        ("                    ", "repetitive"),
        ("abcdefghijklmnopqrs", "repetitive"),
        ("ada.lovelace@mueller.example", "about_you"),
        ("Lovelace-Mueller-1815", "about_you"),
        ("Partnerdeck-2026!!", "about_you"),
    ],
)
def test_what_is_easily_guessed_is_refused_and_why_is_said(password: str, why: str) -> None:
    with pytest.raises(PasswordRefused) as refusal:
        password_rules.check(password, KNOWN, pointer="/new")

    assert [(error.pointer, error.code) for error in refusal.value.errors] == [("/new", why)]


@pytest.mark.parametrize("password", ["quiet lamps drift north", "aaaa bbbb cccc d", "žluťoučký kůň úpí", "lovelace likes windy nights"])
def test_any_characters_will_do_and_none_must_be_there(password: str) -> None:
    password_rules.check(password, KNOWN)


def test_beside_a_second_factor_it_may_be_shorter_but_no_better_known() -> None:
    password_rules.check("mug-otter", KNOWN, second_factor=True)
    for weak in ("7 chars", "sunshine", "lovelace"):
        with pytest.raises(PasswordRefused):
            password_rules.check(weak, KNOWN, second_factor=True)


def test_the_list_of_common_ones_is_shipped() -> None:
    assert len(common()) > 10_000
    assert {"password", "qwertyuiop"} <= common()


async def test_a_password_is_one_thing_however_its_characters_are_composed() -> None:
    passwords = Passwords()

    assert await passwords.verify(
        passwords.hash_now("Stra\N{LATIN SMALL LETTER E WITH ACUTE}nwacht 15"), "Strae\N{COMBINING ACUTE ACCENT}nwacht 15"
    )


async def test_somebody_changes_its_own_password_and_is_signed_in_nowhere_else(web: Web) -> None:
    here = (await web.post("/v1/sessions", {"email": OPERATOR, "password": PASSWORD})).json()
    there = (await web.post("/v1/sessions", {"email": OPERATOR, "password": PASSWORD})).json()
    operator = Web(web.client, web.database, here["access_token"])

    changed = await operator.post("/v1/me/password", {"current_password": PASSWORD, "password": ANOTHER})

    assert changed.status_code == 204, changed.text
    assert (await operator.get("/v1/me")).json()["code"] == "access_ended"
    assert (await web.post("/v1/sessions/refresh", {"refresh_token": there["refresh_token"]})).status_code == 401
    assert (await web.post("/v1/sessions/refresh", {"refresh_token": here["refresh_token"]})).status_code == 200
    assert (await web.post("/v1/sessions", {"email": OPERATOR, "password": PASSWORD})).status_code == 401
    assert (await web.sign_in(OPERATOR, ANOTHER)).token


async def test_a_customers_user_changes_its_own_password_too(web: Web) -> None:
    """It writes its own row, under its own role."""
    ada = await web.a_customer_user()

    changed = await ada.post("/v1/me/password", {"current_password": PASSWORD, "password": ANOTHER})

    assert changed.status_code == 204, changed.text
    assert (await web.sign_in("ada@mueller.example", ANOTHER)).token


async def test_who_does_not_know_the_old_one_changes_nothing_and_may_not_guess(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)

    answers = [await operator.post("/v1/me/password", {"current_password": f"guess {n}", "password": ANOTHER}) for n in range(7)]

    assert [answer.json()["code"] for answer in answers] == ["password_wrong"] * 5 + ["too_many_attempts"] * 2
    assert [error["pointer"] for error in answers[0].json()["errors"]] == ["/current_password"]
    assert (await web.sign_in(OPERATOR)).token


async def test_what_is_set_by_a_link_or_by_the_operator_is_held_to_the_same_rules(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)
    admin = {"name": "Grace Hopper", "email": "grace@hafen.example", "password": "Grace Hopper 1906"}

    refused = await operator.post("/v1/partners", {"company_name": "Hafen IT", "country": "DE", "admin": admin})

    assert (refused.status_code, refused.json()["code"]) == (422, "password_refused")
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/admin/password", "about_you")]


async def test_no_password_is_kept_under_an_idempotency_key(web: Web) -> None:
    operator = await web.sign_in(OPERATOR)

    await operator.post("/v1/me/password", {"current_password": PASSWORD, "password": ANOTHER}, idempotency_key="once")

    assert await as_owner(web, "select count(*) from idempotency_keys") == 0
