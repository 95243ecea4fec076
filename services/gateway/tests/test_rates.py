"""One caller cannot take what belongs to all: so much at once, so much steadily, and it is told how it stands."""

import pytest
from gateway_stage import a_partners_user, a_stage, a_token, signed_in
from joserfc.jwk import OKPKey

from gateway import rates
from gateway.errors import TooManyRequests
from gateway.rates import Rate, network


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def spoken(rate: Rate, caller: str) -> str:
    return dict(rate.take(caller).headers)[b"ratelimit"].decode()


def test_a_bucket_empties_says_so_and_fills_again() -> None:
    clock = Hand()
    rate = Rate("partner", 2, clock)

    assert [spoken(rate, "a") for _ in range(20)][::19] == ['"partner";r=19;t=1', '"partner";r=0;t=10']
    with pytest.raises(TooManyRequests) as refused:
        rate.take("a")
    assert refused.value.retry_after == 1
    assert spoken(rate, "b") == '"partner";r=19;t=1'

    clock.at += 1
    assert [spoken(rate, "a") for _ in range(2)] == ['"partner";r=1;t=10', '"partner";r=0;t=10']
    with pytest.raises(TooManyRequests):
        rate.take("a")
    clock.at += 100
    assert spoken(rate, "a") == '"partner";r=19;t=1'


def test_being_refused_costs_nothing() -> None:
    clock = Hand()
    rate = Rate("address", 0.1, clock)
    rate.take("a")
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            rate.take("a")

    clock.at += 10
    rate.take("a")


def test_callers_without_number_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_CALLERS", 100)
    rate = Rate("address", 1, Hand())
    for number in range(1000):
        rate.take(str(number))

    assert len(rate._full_at) <= 100


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_a_household_of_ipv6_is_one_caller(address: str, caller: str) -> None:
    assert network(address) == caller


async def test_a_partner_is_limited_across_its_users_and_others_are_not() -> None:
    async with a_stage(partner_requests_per_second=0.2) as stage:
        one = a_partners_user()
        colleague = signed_in(type(one)(kind="partner", user_id=a_partners_user().user_id, partner_id=one.partner_id, gen=1))
        first, second = [await stage.client.get("/v1/offers", headers=headers) for headers in (signed_in(one), colleague)]
        third = await stage.client.get("/v1/offers", headers=signed_in(one))
        stranger = await stage.client.get("/v1/offers", headers=signed_in())

    assert [answered.status_code for answered in (first, second, third, stranger)] == [200, 200, 429, 200]
    assert (first.headers["ratelimit-policy"], first.headers["ratelimit"][:13]) == ('"partner";q=2;w=10', '"partner";r=1')
    assert (third.json()["code"], third.headers["retry-after"]) == ("too_many_requests", "5")
    assert third.headers["ratelimit"][:15] == '"partner";r=0;t'


async def test_replicas_share_what_a_partner_may() -> None:
    async with a_stage(partner_requests_per_second=100, replicas=4) as stage:
        answered = await stage.client.get("/v1/offers", headers=signed_in())

    assert answered.headers["ratelimit-policy"] == '"partner";q=250;w=10'


async def test_who_has_no_good_token_is_limited_by_address() -> None:
    async with a_stage(address_requests_per_second=0.2) as stage:
        tried = [await stage.client.post("/v1/sessions", json={}) for _ in range(2)]
        refused = await stage.client.post("/v1/sessions", json={})
        guessing = await stage.client.get("/v1/offers", headers={"authorization": "Bearer guess"})
        healthy = await stage.client.get("/health/live")
        named = await stage.client.get("/v1/offers", headers=signed_in())

    assert [answered.status_code for answered in (*tried, refused, guessing, healthy, named)] == [200, 200, 429, 429, 200, 200]


async def test_who_asks_what_is_taken_is_limited_by_user() -> None:
    """CUS-11: nobody tries addresses by the thousand; colleagues go on, and so does all else."""
    async with a_stage(user_probes_per_second=0.2) as stage:
        one, colleague = signed_in(), signed_in()
        asked = [await stage.client.post("/v1/customer-checks", json={}, headers=one) for _ in range(3)]
        others = await stage.client.post("/v1/customer-checks", json={}, headers=colleague)
        listed = await stage.client.get("/v1/offers", headers=one)

    assert [answered.status_code for answered in (*asked, others, listed)] == [200, 200, 429, 200, 200]


async def test_tokens_of_keys_that_nobody_has_count_against_their_address() -> None:
    async with a_stage(address_requests_per_second=0.2) as stage:
        forged = [{"authorization": f"Bearer {a_token(key=OKPKey.generate_key('Ed25519'))}"} for _ in range(5)]
        answered = [await stage.client.get("/v1/offers", headers=headers) for headers in forged]

    assert [one.status_code for one in answered[2:]] == [429, 429, 429]


async def test_what_the_gateway_refuses_behind_the_limit_says_how_much_is_left() -> None:
    async with a_stage() as stage:
        await stage["licensing"].stop()
        answered = await stage.client.get("/v1/offers", headers=signed_in())
        await stage["licensing"].start()

    assert (answered.status_code, "ratelimit" in answered.headers) == (503, True)
