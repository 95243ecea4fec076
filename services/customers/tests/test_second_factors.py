"""A second factor signs in after the password, is used once per code, and is required by who may require it (MKT-04)."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from customers.rules.sealing import Sealer, Unsealable
from customers.rules.second_factors import recovery_hash, step_of
from customers_testing.http import OPERATOR, PASSWORD, Web, as_owner

GRACE = "grace@hafen.example"
SHORT = "mug-otter"
_IN_OTHER_DIGITS = ["".join(chr(zero + digit) for digit in range(1, 7)) for zero in (0xFF10, 0x0660)]


async def challenge(web: Web, email: str = GRACE, password: str = PASSWORD) -> str:
    answer = await web.post("/v1/sessions", {"email": email, "password": password})
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["challenge"])


async def finished(web: Web, token: str, code: str) -> tuple[int, str]:
    answer = await web.post("/v1/sessions/second-factor", {"challenge": token, "code": code})
    return answer.status_code, answer.json().get("code") or answer.json()["access_token"]


async def fresh(web: Web, email: str = GRACE) -> tuple[Web, str]:
    """Signed in by the password alone, with the refresh token."""
    tokens = (await web.post("/v1/sessions", {"email": email, "password": PASSWORD})).json()
    return Web(web.client, web.database, tokens["access_token"]), tokens["refresh_token"]


class Authenticator:
    """What shows codes; ``recovery`` are those on paper."""

    def __init__(self, secret: str, clock: FixedClock) -> None:
        self._totp = pyotp.TOTP(secret)
        self._clock = clock
        self.recovery: list[str] = []

    def code(self, *, ahead: int = 0) -> str:
        return self._totp.at(self._clock.now(), counter_offset=ahead)


async def enrolled(who: Web, clock: FixedClock) -> Authenticator:
    """Enrol and confirm; the clock goes on to the next code."""
    made = await who.post("/v1/me/second-factor", {"password": PASSWORD})
    assert made.status_code == 201, made.text
    shown = Authenticator(made.json()["secret"], clock)
    confirmed = await who.post("/v1/me/second-factor/confirm", {"code": shown.code()})
    assert confirmed.status_code == 200, confirmed.text
    shown.recovery = confirmed.json()["recovery_codes"]
    clock.move(timedelta(seconds=30))
    return shown


async def test_whoever_has_a_second_factor_signs_in_in_two_steps(web: Web, clock: FixedClock) -> None:
    shown = await enrolled(await web.a_partner(), clock)

    status, token = await finished(web, await challenge(web), shown.code())

    assert status == 201
    assert (await Web(web.client, web.database, token).get("/v1/me")).status_code == 200


async def test_before_it_is_confirmed_it_changes_nothing(web: Web) -> None:
    grace = await web.a_partner()
    first = (await grace.post("/v1/me/second-factor", {"password": PASSWORD})).json()
    again = (await grace.post("/v1/me/second-factor", {"password": PASSWORD})).json()

    refused = await grace.post("/v1/me/second-factor/confirm", {"code": "000000"})

    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["pointer"]) == (422, "code_not_accepted", "/code")
    assert first["secret"] != again["secret"]
    assert again["uri"].startswith("otpauth://totp/Partnerdeck:grace%40hafen.example?secret=")
    assert (await web.sign_in(GRACE)).token


async def test_enrolling_needs_the_password_and_is_not_done_twice(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    none = await grace.post("/v1/me/second-factor/confirm", {"code": "123456"})
    assert (none.status_code, none.json()["code"]) == (409, "second_factor_not_enrolled")
    for body in ({"password": "something else"}, {}):
        assert (await grace.post("/v1/me/second-factor", body)).json()["code"] == "password_wrong"
    shown = await enrolled(grace, clock)
    _, token = await finished(web, await challenge(web), shown.code())

    twice = await Web(web.client, web.database, token).post("/v1/me/second-factor", {"password": PASSWORD})

    assert (twice.status_code, twice.json()["code"]) == (409, "second_factor_enrolled")


async def test_what_was_signed_in_without_it_is_over_but_the_session_that_enrolled_goes_on(web: Web, clock: FixedClock) -> None:
    await web.a_partner()
    (here, mine), (there, other) = await fresh(web), await fresh(web)

    await enrolled(here, clock)

    assert (await there.get("/v1/me")).json()["code"] == "access_ended"
    assert [(await web.post("/v1/sessions/refresh", {"refresh_token": one})).status_code for one in (other, mine)] == [401, 200]


async def test_a_code_is_used_once_even_by_many_at_once(web: Web, clock: FixedClock) -> None:
    """Each with a challenge of its own; and none that is older than one that was used."""
    shown = await enrolled(await web.a_partner(), clock)
    challenges = [await challenge(web) for _ in range(6)]

    answers = await asyncio.gather(*(finished(web, token, shown.code()) for token in challenges[:5]))

    assert Counter(said if status != 201 else "in" for status, said in answers) == {"in": 1, "code_wrong": 4}
    await as_owner(web, "delete from attempts")
    assert await finished(web, challenges[5], shown.code(ahead=-1)) == (401, "code_wrong")


async def test_a_code_is_good_for_its_half_minute_and_those_beside_it(clock: FixedClock) -> None:
    secret = pyotp.random_base32()
    totp, here = pyotp.TOTP(secret), int(clock.now().timestamp()) // 30

    found = [step_of(secret, totp.generate_otp(here + beside), clock.now()) for beside in (-2, -1, 0, 1, 2)]

    assert found == [None, here - 1, here, here + 1, None]
    assert step_of(secret, totp.generate_otp(here), clock.now(), after=here) is None


@pytest.mark.parametrize("code", [*_IN_OTHER_DIGITS, "12345é", "🔑🔑🔑🔑🔑🔑"])
async def test_a_code_in_other_letters_than_an_authenticators_is_wrong_like_any_other(web: Web, clock: FixedClock, code: str) -> None:
    await enrolled(await web.a_partner(), clock)

    assert await finished(web, await challenge(web), code) == (401, "code_wrong")


async def test_guessing_codes_waits_longer_each_time(web: Web, clock: FixedClock) -> None:
    shown = await enrolled(await web.a_partner(), clock)
    await as_owner(web, "delete from attempts")
    token = await challenge(web)

    answers = [await finished(web, token, "000000") for _ in range(7)]

    assert [code for _, code in answers] == ["code_wrong"] * 5 + ["too_many_attempts"] * 2
    clock.move(timedelta(seconds=1))
    assert (await finished(web, token, shown.code()))[0] == 201


async def test_a_challenge_is_good_once_and_for_five_minutes(web: Web, clock: FixedClock) -> None:
    shown = await enrolled(await web.a_partner(), clock)
    used, late = await challenge(web), await challenge(web)
    assert (await finished(web, used, shown.code()))[0] == 201

    clock.move(timedelta(seconds=30))
    assert await finished(web, used, shown.code()) == (401, "challenge_over")
    clock.move(timedelta(minutes=5))
    assert await finished(web, late, shown.code()) == (401, "challenge_over")
    assert await finished(web, "made-up", shown.code()) == (401, "challenge_over")


async def test_each_recovery_code_signs_in_once_in_the_authenticators_place(web: Web, clock: FixedClock) -> None:
    shown = await enrolled(await web.a_partner(), clock)
    code = shown.recovery[0]
    challenges = [await challenge(web) for _ in range(4)]

    written = (code, code.upper().replace("-", " "), code, code)
    answers = await asyncio.gather(*(finished(web, token, one) for token, one in zip(challenges, written, strict=True)))

    assert sorted(status for status, _ in answers) == [201, 401, 401, 401]
    assert len(set(shown.recovery)) == 10
    kept = await as_owner(web, "select array_agg(encode(r, 'hex')) from second_factors, unnest(recovery) r")
    assert isinstance(kept, list)
    assert {*kept} == {recovery_hash(one).hex() for one in shown.recovery[1:]}
    told = "select convert_from(payload, 'utf8') from outbox where topic = 'user.updated' order by id desc limit 1"
    assert json.loads(str(await as_owner(web, told))) == {"fields": ["recovery_codes"]}, "its user is mailed"


async def test_new_recovery_codes_take_the_place_of_the_old(web: Web, clock: FixedClock) -> None:
    shown = await enrolled(await web.a_partner(), clock)
    _, token = await finished(web, await challenge(web), shown.recovery[0])
    grace = Web(web.client, web.database, token)
    assert (await grace.get("/v1/me/second-factor")).json() == {"enrolled": True, "required": False, "recovery_codes_left": 9}

    anew = (await grace.post("/v1/me/second-factor/recovery-codes", {"password": PASSWORD})).json()["recovery_codes"]

    assert (await finished(web, await challenge(web), shown.recovery[1]))[1] == "code_wrong"
    assert (await finished(web, await challenge(web), anew[0]))[0] == 201


async def test_it_is_given_up_with_the_password_which_must_then_be_long_enough_alone(web: Web, clock: FixedClock) -> None:
    """And while it is there a shorter one will do (NIST SP 800-63B-4)."""
    shown = await enrolled(await web.a_partner(), clock)
    _, token = await finished(web, await challenge(web), shown.code())
    grace = Web(web.client, web.database, token)
    assert (await grace.post("/v1/me/password", {"current_password": PASSWORD, "password": SHORT})).status_code == 204
    clock.move(timedelta(seconds=30))
    _, token = await finished(web, await challenge(web, password=SHORT), shown.code())
    grace = Web(web.client, web.database, token)

    short = await grace.post("/v1/me/second-factor/disable", {"password": SHORT})
    assert (short.status_code, short.json()["code"], short.json()["shortest"]) == (409, "password_too_short", 15)
    await grace.post("/v1/me/password", {"current_password": SHORT, "password": PASSWORD})
    clock.move(timedelta(seconds=30))
    _, token = await finished(web, await challenge(web), shown.code())
    done = await Web(web.client, web.database, token).post("/v1/me/second-factor/disable", {"password": PASSWORD})

    assert done.status_code == 204, done.text
    assert (await web.sign_in(GRACE)).token


async def test_who_has_lost_it_is_helped_by_who_manages_users_and_by_nobody_else(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    bob_id = (await bob.get("/v1/me")).json()["user"]["id"]
    await enrolled(bob, clock)
    stranger = await web.a_partner("Berg IT", "berg.example")
    path = f"/v1/users/{bob_id}/second-factor/reset"
    grace_id = (await grace.get("/v1/me")).json()["user"]["id"]

    assert (await grace.post(path)).status_code == 428
    assert (await grace.post(path, if_match='"1"')).status_code == 412
    assert (await stranger.post(path, if_match="*")).json()["code"] == "user_not_found"
    assert (await grace.post(f"/v1/users/{grace_id}/second-factor/reset", if_match="*")).json()["code"] == "not_oneself"
    assert (await grace.post(path, if_match="*")).status_code == 204

    assert (await web.sign_in("bob@hafen.example")).token
    assert (await grace.post(path, if_match="*")).json()["code"] == "second_factor_not_enrolled"


async def rules(who: Web, own: str, below: str = "optional") -> Any:
    etag = (await who.get("/v1/sign-in-rules")).headers["etag"]
    return await who.put("/v1/sign-in-rules", {"second_factor": own, "second_factor_below": below}, if_match=etag)


async def test_whoever_must_have_one_can_do_nothing_but_enrol(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    assert (await rules(grace, "required")).status_code == 200

    for asked in (grace.get("/v1/me"), grace.get("/v1/customers"), grace.get("/v1/me/rights"), grace.post("/v1/me/sessions/end")):
        refused = await asked
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert (await grace.get("/v1/me/second-factor")).json() == {"enrolled": False, "required": True, "recovery_codes_left": None}
    shown = await enrolled(grace, clock)

    _, token = await finished(web, await challenge(web), shown.code())
    grace = Web(web.client, web.database, token)
    assert (await grace.get("/v1/customers")).status_code == 200
    needed = await grace.post("/v1/me/second-factor/disable", {"password": PASSWORD})
    assert (needed.status_code, needed.json()["code"]) == (409, "second_factor_needed")


@pytest.mark.parametrize(
    ("own", "below", "operators", "partners"), [("required", "optional", 403, 200), ("optional", "required", 200, 403)]
)
async def test_from_above_it_is_required_of_all_below_and_not_of_oneself(
    web: Web, own: str, below: str, operators: int, partners: int
) -> None:
    grace = await web.a_partner()
    operator = await web.sign_in(OPERATOR)

    assert (await rules(operator, own, below)).status_code == 200

    assert ((await operator.get("/v1/me")).status_code, (await grace.get("/v1/me")).status_code) == (operators, partners)


async def test_of_a_customers_user_it_is_not_required_but_it_may_have_one(web: Web, clock: FixedClock) -> None:
    ada = await web.a_customer_user()
    await rules(await web.sign_in(GRACE), "required", "required")

    assert (await ada.get("/v1/me")).status_code == 200
    shown = await enrolled(ada, clock)
    assert (await finished(web, await challenge(web, "ada@mueller.example"), shown.code()))[0] == 201


async def test_the_rules_are_told_audited_and_changed_by_who_manages_the_partner_alone(web: Web) -> None:
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)

    assert (await rules(bob, "required")).json()["code"] == "not_allowed"
    assert (await grace.put("/v1/sign-in-rules", {"second_factor": "required", "second_factor_below": "optional"})).status_code == 428
    body = {"second_factor": "optional", "second_factor_below": "required"}
    assert (await grace.put("/v1/sign-in-rules", body, if_match='"99"')).status_code == 412
    assert (await rules(grace, "optional", "required")).json() == body

    state = "select convert_from(payload, 'utf8') from outbox where topic = 'partner.changed' order by id desc limit 1"
    told = json.loads(str(await as_owner(web, state)))
    assert (told["facts"], told["state"]["second_factor_below"]) == (["partner.updated"], "required")
    values = "select after::text from audit_values v join audit a on a.id = v.audit_id where a.operation = 'second-factors_set_rules'"
    assert json.loads(str(await as_owner(web, values)))["second_factor_below"] == "required"


async def test_secrets_and_codes_are_nowhere_but_sealed_and_hashed(web: Web, clock: FixedClock) -> None:
    """Not in an event, not in the audit, not under an idempotency key."""
    grace = await web.a_partner()
    made = await grace.post("/v1/me/second-factor", {"password": PASSWORD}, idempotency_key="once")
    secret = made.json()["secret"]
    code = pyotp.TOTP(secret).at(clock.now())
    recovery = (await grace.post("/v1/me/second-factor/confirm", {"code": code}, idempotency_key="again")).json()["recovery_codes"]

    for needle in (secret, recovery[0], recovery[0].replace("-", "")):
        for table in ("outbox", "audit_values", "idempotency_keys", "second_factors"):
            found = f"select exists (select from {table} t where t::text ilike $1 or t::text ilike $2)"  # noqa: S608 (names of tables)
            assert not await as_owner(web, found, f"%{needle}%", f"%{needle.encode().hex()}%"), table


def test_what_is_sealed_opens_with_its_key_for_its_owner_alone() -> None:
    ada, eve = new_id(), new_id()
    old, new = bytes(32), b"k" * 32
    sealed = Sealer([old]).seal(b"secret", ada)

    assert Sealer([new, old]).open(sealed, ada) == b"secret"
    for sealer, whose in ((Sealer([new]), ada), (Sealer([old]), eve)):
        with pytest.raises(Unsealable):
            sealer.open(sealed, whose)
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer([b"short"])
