"""A change that is asked for twice under one key is made once, and both are told the same."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.http import idempotency
from chassis.http.answers import Answer
from chassis.http.etags import IfMatchRequired, Stale
from chassis.http.idempotency import BadIdempotencyKey, Claim, InFlight, KeyReused
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.database import as_stranger

CREATED = Answer(
    status=201, body=b'{"id":1}', headers=(("content-type", "application/json"), ("location", "/v1/houses/1"), ("x-other", "1"))
)
REFUSED = Answer(status=409, body=b'{"code":"no"}', headers=(("content-type", "application/problem+json"),))


class Never(Refusal):
    """No."""

    kind = Kind.CONFLICT
    code = "no"
    remedy = "None."


def a_claim(principal: Principal, key: str = "k-1", body: bytes = b"{}") -> Claim:
    print_ = idempotency.fingerprint(b"secret", "POST", "/v1/houses/{house_id}/sell", {"house_id": UUID(int=1)}, body)
    return Claim(partner_id=principal.partner_id, user_id=principal.user_id, key=key, fingerprint=print_)


async def test_the_first_may_try_and_the_second_gets_its_answer(tx: Transaction, principal: Principal) -> None:
    assert await idempotency.claim(tx.session, a_claim(principal)) is None
    await idempotency.store(tx.session, a_claim(principal), CREATED)

    again = await idempotency.claim(tx.session, a_claim(principal))

    assert again == Answer(status=201, body=b'{"id":1}', headers=(("content-type", "application/json"), ("location", "/v1/houses/1")))


async def test_a_key_stands_for_one_request(tx: Transaction, principal: Principal) -> None:
    await idempotency.store(tx.session, a_claim(principal), CREATED)

    with pytest.raises(KeyReused):
        await idempotency.claim(tx.session, a_claim(principal, body=b'{"other":1}'))


async def test_another_users_key_is_another_key(tx: Transaction, principal: Principal) -> None:
    await idempotency.store(tx.session, a_claim(principal), CREATED)

    colleague = Principal(kind="partner", user_id=new_id(), partner_id=principal.partner_id, gen=1)

    assert await idempotency.claim(tx.session, a_claim(colleague)) is None


async def test_another_partner_does_not_see_an_answer_even_if_it_asks_as_its_user(tx: Transaction, principal: Principal) -> None:
    await idempotency.store(tx.session, a_claim(principal), CREATED)

    async with as_stranger(tx) as stranger:
        assert await idempotency.claim(stranger.session, a_claim(principal)) is None


async def test_what_stands_under_a_key_outlives_a_later_refusal(tx: Transaction, principal: Principal) -> None:
    await idempotency.store(tx.session, a_claim(principal), CREATED)

    standing = await idempotency.store_refusal(tx.session, a_claim(principal), REFUSED)

    assert standing.status == 201


async def test_a_refusal_is_an_answer_too(tx: Transaction, principal: Principal) -> None:
    assert await idempotency.store_refusal(tx.session, a_claim(principal), REFUSED) == REFUSED
    assert await idempotency.claim(tx.session, a_claim(principal)) == REFUSED


async def test_an_answer_too_large_to_keep_is_a_defect(tx: Transaction, principal: Principal) -> None:
    with pytest.raises(ValueError, match="65537 bytes"):
        await idempotency.store(tx.session, a_claim(principal), Answer(status=201, body=b"x" * 65537))


async def test_of_eight_at_once_one_tries_and_the_others_are_told_at_once(api_database: ApiDatabase, principal: Principal) -> None:
    begun, decided = asyncio.Event(), asyncio.Event()
    told = list[str]()

    async def sell() -> None:
        try:
            async with api_database.change(principal) as tx:
                assert await idempotency.claim(tx.session, a_claim(principal)) is None
                told.append("sold")
                begun.set()
                await decided.wait()
                await idempotency.store(tx.session, a_claim(principal), CREATED)
        except InFlight:
            told.append("in flight")

    first = asyncio.create_task(sell())
    async with asyncio.timeout(10):
        await begun.wait()
        await asyncio.gather(*(sell() for _ in range(7)))
    decided.set()
    await first

    assert sorted(told) == ["in flight"] * 7 + ["sold"]
    async with api_database.change(principal) as tx:
        assert await idempotency.claim(tx.session, a_claim(principal)) is not None


async def test_a_change_that_was_undone_leaves_the_key_free(api_database: ApiDatabase, principal: Principal) -> None:
    async def refuse() -> None:
        async with api_database.change(principal) as tx:
            await idempotency.claim(tx.session, a_claim(principal))
            await idempotency.store(tx.session, a_claim(principal), CREATED)
            raise Never

    with pytest.raises(Never):
        await refuse()

    async with api_database.change(principal) as tx:
        assert await idempotency.claim(tx.session, a_claim(principal)) is None


async def test_keys_are_forgotten_when_they_are_old(
    api_database: ApiDatabase, worker_database: WorkerDatabase, principal: Principal
) -> None:
    async with api_database.change(principal) as tx:
        await idempotency.store(tx.session, a_claim(principal), CREATED)

    async with worker_database.work() as work:
        stored_at = (await work.session.execute(text("select created_at from idempotency_keys"))).scalar_one()
        assert await idempotency.purge(work.session, stored_at) == 0
        assert await idempotency.purge(work.session, stored_at + timedelta(seconds=1)) == 1


def test_a_passing_refusal_is_not_kept() -> None:
    assert idempotency.keeps(Never())
    assert not any(idempotency.keeps(refusal) for refusal in (IfMatchRequired(), Stale(), InFlight(), KeyReused(), BadIdempotencyKey()))


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n", "\x7f"])
def test_a_key_is_visible_ascii(key: str) -> None:
    with pytest.raises(BadIdempotencyKey):
        idempotency.check_key(key)

    assert idempotency.check_key('"0190b0a0"') == '"0190b0a0"'


def test_no_two_requests_share_a_fingerprint() -> None:
    prints = [
        idempotency.fingerprint(b"secret", "POST", "/a/{id}", {"id": "1"}, b"x"),
        idempotency.fingerprint(b"secret", "PUT", "/a/{id}", {"id": "1"}, b"x"),
        idempotency.fingerprint(b"secret", "POST", "/a/{id}", {"id": "2"}, b"x"),
        idempotency.fingerprint(b"secret", "POST", "/a/{id}", {"id": "1"}, b"y"),
        idempotency.fingerprint(b"secret", "POST", "/a/{id}", {"id": "1x"}, b""),
        idempotency.fingerprint(b"secret", "POST", "/a/{id}/b", {"id": "1"}, b"x"),
        idempotency.fingerprint(b"another", "POST", "/a/{id}", {"id": "1"}, b"x"),
    ]

    assert len(set(prints)) == len(prints)
