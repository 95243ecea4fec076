"""A domain counts for single sign-on as long as its DNS says what only the partner was told, and for one connection (MKT-18)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dns.rcode
import httpx
import pytest

from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from customers import due
from customers.errors.single_sign_on import NoReply
from customers.rules.text_records import TextRecords
from customers_testing.dns import NameServer, name_server
from customers_testing.http import OPERATOR, Web, as_owner, running

CONNECTION = {
    "issuer": "https://id.hafen.example",
    "client_id": "partnerdeck",
    "client_secret": "none",
    "redirect_uri": "https://console.hafen.example/back",
}
TOLD = """select array_agg(convert_from(payload, 'utf8')::json -> 'state' ->> 'sign_in_domains' order by id)
            from outbox where topic like '%partner.changed'"""
NAME = "_partnerdeck-challenge.hafen.example"


@dataclass(frozen=True, slots=True)
class World:
    """Hafen IT, which asks for hafen.example, and the name server that everybody asks."""

    web: Web
    grace: Web
    names: NameServer
    connection: str
    clock: FixedClock
    due_work: DueWorker

    @property
    def proofs(self) -> str:
        return f"{self.connection}/domain-proofs"

    async def asked(self) -> dict[str, Any]:
        answer = await self.grace.post(self.proofs, {"domain": "hafen.example"})
        assert answer.status_code == 201, answer.text
        proof: dict[str, Any] = answer.json()
        return proof

    async def proven(self) -> dict[str, Any]:
        proof = await self.asked()
        self.names.texts[NAME] = ["v=spf1 -all", proof["record_value"]]
        found = await self.verified(proof)
        assert found.json()["state"] == "verified", found.text
        return proof

    async def verified(self, proof: dict[str, Any]) -> httpx.Response:
        return await self.grace.post(f"{self.proofs}/{proof['id']}/verify", if_match="*")

    async def administrator(self) -> Web:
        """Grace, signed in anew: after a while she has to."""
        return await self.web.sign_in("grace@hafen.example")

    async def listed(self) -> dict[str, Any]:
        items: list[dict[str, Any]] = (await (await self.administrator()).get(self.proofs)).json()["items"]
        assert len(items) == 1
        return items[0]

    async def counting(self) -> list[str]:
        found: list[str] = (await (await self.administrator()).get("/v1/sso-connections")).json()["items"][0]["verified"]
        return found

    async def after(self, wait: timedelta) -> dict[str, Any]:
        """Time passes, and what is due is done."""
        self.clock.move(wait)
        while await self.due_work.work_one():
            pass
        assert await as_owner(self.web, "select max(last_error) from due") is None
        return await self.listed()

    async def told(self) -> list[Any]:
        """What each state of a partner that was told said of its domains."""
        found: Any = await as_owner(self.web, TOLD)
        return list(found)


@pytest.fixture
async def world(fresh_database: DatabaseSettings, worker_database: WorkerDatabase, clock: FixedClock) -> AsyncIterator[World]:
    async with name_server() as names, running(fresh_database, clock, dns_server="127.0.0.1", dns_port=names.port) as web:
        grace = await web.a_partner()
        records = TextRecords(server="127.0.0.1", port=names.port)
        await worker_database.ping()
        yield World(web, grace, names, await connected(grace), clock, DueWorker(due.kinds(records), worker_database, clock))


async def connected(who: Web, *domains: str) -> str:
    made = await who.post("/v1/sso-connections", CONNECTION | {"domains": list(domains or ("hafen.example", "github.io"))})
    assert made.status_code == 201, made.text
    return f"/v1/sso-connections/{made.json()['id']}"


async def test_a_partner_proves_its_domain_by_a_record_in_its_dns(world: World) -> None:
    """MKT-18: without the operator; the name is looked up once."""
    proof = await world.asked()
    assert (proof["state"], proof["record_name"], proof["checked_at"], proof["problem"]) == ("asked", NAME, None, None)
    assert await world.counting() == []
    world.names.texts[NAME] = ["v=spf1 -all", proof["record_value"]]

    answer = await world.verified(proof)

    found = answer.json()
    assert (answer.status_code, found["state"], found["problem"]) == (200, "verified", None)
    assert found["verified_at"] == found["checked_at"]
    assert answer.headers["etag"] == f'"{found["version"]}"'
    assert world.names.asked == [NAME]
    assert await world.counting() == ["hafen.example"]
    assert (await world.told())[-1] == '["hafen.example"]'
    assert await as_owner(world.web, "select count(*) from door.find_sso('hafen.example')") == 1


async def test_whoever_asks_again_is_told_the_same_record(world: World) -> None:
    first, again = await asyncio.gather(world.asked(), world.asked())
    assert first == again

    body, key = {"domain": "hafen.example"}, {"idempotency_key": "the-same-request"}
    answers = [await world.grace.post(world.proofs, body, **key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert await as_owner(world.web, "select count(*) from domain_proofs") == 1


@pytest.mark.parametrize(
    ("texts", "rcode", "code"),
    [
        (None, None, "dns_name_missing"),
        ([], None, "dns_record_missing"),
        (["partnerdeck-domain=another"], None, "dns_other_value"),
        (None, dns.rcode.SERVFAIL, "dns_no_reply"),
    ],
)
async def test_what_the_dns_says_instead_is_named_with_a_remedy_and_can_be_mended(
    world: World, texts: list[str] | None, rcode: dns.rcode.Rcode | None, code: str
) -> None:
    proof = await world.asked()
    world.names.rcode = rcode
    if texts is not None:
        world.names.texts[NAME] = texts

    failed = (await world.verified(proof)).json()

    assert (failed["state"], failed["problem"]["code"], failed["verified_at"]) == ("failed", code, None)
    assert failed["failed_at"] == failed["checked_at"]
    assert failed["problem"]["remedy"].endswith("verify again.")
    assert await world.listed() == failed
    assert await world.counting() == []
    world.names.rcode, world.names.texts[NAME] = None, [proof["record_value"]]
    mended = (await world.verified(proof)).json()
    assert (mended["state"], mended["failed_at"], mended["problem"]) == ("verified", None, None)


async def test_a_name_server_that_says_nothing_is_not_waited_for() -> None:
    async with name_server() as names:
        names.silent = True
        with pytest.raises(NoReply):
            await TextRecords(server="127.0.0.1", port=names.port, patience=0.2).at(NAME)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", ".".join(["a" * 60] * 5)])
async def test_a_name_that_no_dns_can_have_has_no_record(name: str) -> None:
    with pytest.raises(NoReply):
        await TextRecords(server="127.0.0.1", port=1, patience=0.2).at(name)


async def test_of_twenty_connections_that_prove_one_domain_it_counts_for_one(world: World) -> None:
    others = [await world.web.a_partner("Berg IT", "berg.example"), await world.web.a_partner("Tal IT", "tal.example")]
    proofs = []
    for nr in range(20):
        who = (world.grace, *others)[nr % 3]
        path = f"{await connected(who, 'shared.example')}/domain-proofs"
        asked = await who.post(path, {"domain": "shared.example"})
        world.names.texts.setdefault("_partnerdeck-challenge.shared.example", []).append(asked.json()["record_value"])
        proofs.append((who, f"{path}/{asked.json()['id']}/verify"))

    answers = await asyncio.gather(*(who.post(path, if_match="*") for who, path in proofs))

    lost = [one.json()["code"] for one in answers if one.status_code == 409]
    assert (len([one for one in answers if one.is_success]), lost) == (1, ["sso_domain_taken"] * 19)
    assert await as_owner(world.web, "select count(*) from domain_proofs where state = 'verified'") == 1
    assert await as_owner(world.web, "select count(*) from partners where sign_in_domains = '{shared.example}'") == 1


async def test_a_proof_is_looked_up_again_and_stands_while_the_record_does(world: World) -> None:
    await world.proven()

    found = await world.after(timedelta(days=30))
    again = await world.after(timedelta(days=30))

    assert world.names.asked == [NAME] * 3
    assert (found["state"], again["state"]) == ("verified", "verified")
    assert found["verified_at"] == again["verified_at"] < found["checked_at"] < again["checked_at"]


async def test_a_record_that_is_missed_twice_in_a_row_ends_the_proof_and_says_so(world: World) -> None:
    proof = await world.proven()
    del world.names.texts[NAME]

    once = await world.after(timedelta(days=30))
    assert (once["state"], once["problem"]["code"]) == ("verified", "dns_name_missing")
    assert await world.counting() == ["hafen.example"]
    world.names.texts[NAME] = [proof["record_value"]]
    back = await world.after(timedelta(days=3))
    assert (back["state"], back["problem"]) == ("verified", None)
    del world.names.texts[NAME]
    assert (await world.after(timedelta(days=30)))["state"] == "verified"
    ended = await world.after(timedelta(days=3))

    assert (ended["state"], ended["verified_at"], ended["failed_at"]) == ("failed", None, ended["checked_at"])
    assert await world.counting() == []
    assert (await world.told())[-1] == "[]"
    assert (await world.web.post("/v1/sso/begin", {"email": "grace@hafen.example"})).json()["code"] == "no_single_sign_on"
    assert await as_owner(world.web, "select count(*) from due where kind = 'domain_proof.look_again'") == 0


async def test_a_look_that_somebody_asks_for_ends_no_proof(world: World) -> None:
    proof = await world.proven()
    del world.names.texts[NAME]

    looked = [(await world.verified(proof)).json() for _ in range(3)]

    assert {(one["state"], one["problem"]["code"]) for one in looked} == {("verified", "dns_name_missing")}
    assert await world.counting() == ["hafen.example"]


async def test_the_operators_word_takes_a_proofs_place_and_no_look_up_ends_it(world: World) -> None:
    await world.proven()
    operator = await world.web.sign_in(OPERATOR)
    partner = (await world.grace.get("/v1/me")).json()["partner"]["id"]
    acting: Any = {"partnerdeck_acting_as": partner, "if_match": "*"}
    confirmed = await operator.post(f"{world.connection}/verify", {"domain": "hafen.example"}, **acting)
    assert confirmed.status_code == 200, confirmed.text
    del world.names.texts[NAME]

    world.clock.move(timedelta(days=30))
    while await world.due_work.work_one():
        pass

    assert await world.counting() == ["hafen.example"]
    grace = await world.administrator()
    assert (await grace.get(world.proofs)).json()["items"] == []
    assert (await grace.post(world.proofs, {"domain": "hafen.example"})).json()["code"] == "sso_domain_verified"


async def test_proofs_go_with_their_connection_and_the_domain_is_free_again(world: World) -> None:
    await world.proven()
    assert (await world.grace.delete(world.connection, if_match="*")).status_code == 204

    world.clock.move(timedelta(days=30))
    assert await world.due_work.work_one()

    assert await as_owner(world.web, "select count(*) from domain_proofs") == 0
    assert (await world.told())[-1] == "[]"
    assert await as_owner(world.web, "select count(*) from sso_domains") == 0


async def test_only_who_manages_single_sign_on_proves_and_only_what_its_connection_asks_for(world: World) -> None:
    stranger = await world.web.a_partner("Berg IT", "berg.example")
    bob = await world.web.a_colleague(world.grace)
    proof = await world.asked()
    verify = f"{world.proofs}/{proof['id']}/verify"
    body = {"domain": "hafen.example"}

    refused = [
        await stranger.get(world.proofs),
        await stranger.post(world.proofs, body),
        await stranger.post(verify, if_match="*"),
        await bob.get(world.proofs),
        await bob.post(world.proofs, body),
        await bob.post(verify, if_match="*"),
        await world.grace.post(verify),
        await world.grace.post(verify, if_match='"9"'),
        await world.grace.post(world.proofs, {"domain": "berg.example"}),
        await world.grace.post(world.proofs, {"domain": "github.io"}),
    ]

    assert [one.status_code for one in refused] == [404, 404, 404, 403, 403, 403, 428, 412, 409, 422]
    codes = [refused[at].json()["code"] for at in (0, 1, 2, 8, 9)]
    assert codes[:2] == ["sso_connection_not_found"] * 2
    assert codes[2:] == ["domain_proof_not_found", "sso_domain_taken", "domain_not_provable"]


async def test_who_proved_what_is_in_the_audit_with_before_and_after(world: World) -> None:
    await world.proven()
    await world.grace.delete(world.connection, if_match="*")

    said = """select json_agg(json_build_array(a.operation, v.before ->> 'verified', v.after ->> 'verified') order by a.id)
                from audit a join audit_values v on v.audit_id = a.id
               where a.subject_type = 'sso_connection' and v.before ->> 'verified' is not null"""
    entries = json.loads(str(await as_owner(world.web, said)))
    assert [(operation.rpartition("_")[2], *values) for operation, *values in entries] == [
        ("proof", "[]", '["hafen.example"]'),
        ("disconnect", '["hafen.example"]', "[]"),
    ]
