"""Whoever guesses waits longer each time, and nobody is locked out of what is his (GW-01)."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from chassis_testing.clock import FixedClock
from customers.rules.throttling import FREE_FROM_ADDRESS, FREE_OF_ACCOUNT, FREE_OF_ADDRESS, Attempt
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, as_owner, link_of
from customers_testing.people import a_user_with, role_named

HOME = "198.51.100.7"
ELSEWHERE = "203.0.113.9"
WRONG = "wrong horse battery"


async def tries(web: Web, email: str = OPERATOR, password: str = WRONG, *, address: str = ELSEWHERE) -> httpx.Response:
    return await web.post("/v1/sessions", {"email": email, "password": password}, x_forwarded_for=address)


async def failed(web: Web, times: int, email: str = OPERATOR, *, address: str = ELSEWHERE) -> None:
    """As if so many tries had failed, without the time that each takes."""
    attempt = Attempt(email, address)
    for counted in (attempt.here, attempt.anywhere, attempt.whatever):
        count = "insert into attempts values ($1, $2, '2026-01-01') on conflict (attempt) do update set failures = attempts.failures + $2"
        await as_owner(web, count, counted, times)
    await as_owner(web, "update attempts set tried_at = $1", FixedClock().now())


@pytest.mark.parametrize("email", [OPERATOR, "nobody@vendor.example"])
async def test_of_fifty_at_once_only_the_free_ones_are_looked_at(web: Web, email: str) -> None:
    """Whether somebody has the address or not."""
    answers = await asyncio.gather(*(tries(web, email) for _ in range(50)))

    codes = Counter(answer.json()["code"] for answer in answers)
    assert codes == {"credentials_wrong": FREE_FROM_ADDRESS, "too_many_attempts": 50 - FREE_FROM_ADDRESS}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"


async def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(web: Web, clock: FixedClock) -> None:
    await failed(web, FREE_FROM_ADDRESS)
    waits = []
    for _ in range(12):
        answer = await tries(web)
        assert answer.status_code == 429
        waits.append(int(answer.headers["retry-after"]))
        clock.move(timedelta(seconds=waits[-1]))
        assert (await tries(web)).status_code == 401

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_while_it_waits_the_right_password_is_not_looked_at_either(web: Web, clock: FixedClock) -> None:
    await failed(web, FREE_FROM_ADDRESS)

    assert (await tries(web, password=PASSWORD)).status_code == 429
    clock.move(timedelta(seconds=1))
    assert (await tries(web, password=PASSWORD)).status_code == 201


async def test_many_who_guess_from_everywhere_do_not_keep_out_who_signed_in_here_before(web: Web) -> None:
    """The account makes everybody wait, but not where it is known; sessions that exist go on."""
    signed_in = (await tries(web, password=PASSWORD, address=HOME)).json()
    await failed(web, FREE_OF_ACCOUNT)

    assert (await tries(web, password=PASSWORD, address="192.0.2.1")).status_code == 429
    assert (await tries(web, password=PASSWORD, address=HOME)).status_code == 201
    assert (await web.post("/v1/sessions/refresh", {"refresh_token": signed_in["refresh_token"]})).status_code == 200


async def test_a_password_set_by_a_mailed_link_makes_the_place_known(web: Web) -> None:
    """Where it was never tried before: whoever guesses from everywhere does not keep out who has just set it."""
    grace = await web.a_partner()
    bob = await a_user_with(grace, "bob@hafen.example", await role_named(grace, "Administrator"))
    await failed(web, FREE_OF_ACCOUNT, bob.email)

    body = {"token": await link_of(web, bob.email, LINK_KEY), "password": PASSWORD}
    assert (await web.post("/v1/credentials/set-password", body, x_forwarded_for=HOME)).status_code == 204

    assert (await tries(web, bob.email, PASSWORD, address=HOME)).status_code == 201


async def test_one_address_that_tries_many_accounts_waits_too(web: Web) -> None:
    """An address of IPv6 is a home's, whichever of its 2^64 it takes."""
    await failed(web, FREE_OF_ADDRESS, "somebody@vendor.example", address="2001:db8:0:7::1")

    assert (await tries(web, password=PASSWORD, address="2001:db8:0:7:ffff::9")).status_code == 429
    assert (await tries(web, password=PASSWORD, address="2001:db8:0:8::1")).status_code == 201


async def test_what_was_right_costs_nothing(web: Web) -> None:
    answers = [await tries(web, password=PASSWORD) for _ in range(FREE_FROM_ADDRESS + 2)]

    assert {answer.status_code for answer in answers} == {201}
    assert await as_owner(web, "select max(failures) from attempts") == 0


async def test_nothing_that_is_counted_names_anybody(web: Web) -> None:
    await tries(web)

    assert await as_owner(web, "select bool_and(octet_length(attempt) = 32) from attempts")
    assert not await as_owner(web, "select exists (select from attempts where attempts::text like '%vendor%')")
