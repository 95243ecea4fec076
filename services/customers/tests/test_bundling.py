"""Many customers leave as one file, made by a job that waits for whoever takes part; they come in one by one (BEY-15)."""

import asyncio
import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc.jwk import OKPKey
from typer.testing import CliRunner

from chassis.bundles import archive, gathered
from chassis.bundles.errors import BundleInvalid, BundleUnsigned
from chassis.bundles.gathered import Opened
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis.jobs import running
from chassis.jobs.running import due_work
from chassis.keys import KeySet, published
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from customers.bundles import bundling
from customers.bundles.commands import commands
from customers.bundles.content import READER
from customers.rules.bundle_parts import SERVICES, Parts
from customers_testing.http import Web, a_body, as_owner, settings
from customers_testing.http import running as running_there

KEY = OKPKey.generate_key("Ed25519")
KEYS = KeySet([KEY])
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Others:
    """The other services behind a gateway: what each says is one line of a file, and those that are ``away`` say nothing."""

    def __init__(self) -> None:
        self.away = set[str]()
        self.refused = False
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        *_, service, customer_id = request.url.path.split("/")
        if service in self.away:
            raise httpx.ConnectError("nobody listens")
        if self.refused:
            return httpx.Response(403, json={"code": "not_allowed", "detail": "You may not."})
        files = {f"{service}/notes.jsonl": {"text": f'{{"of":"{customer_id}"}}\n', "rows": 1}}
        return httpx.Response(200, json={"service": service, "customer_id": customer_id, "files": files})

    @property
    def parts(self) -> Parts:
        return Parts(Issuer(KEY), "http://gateway", transport=httpx.MockTransport(self))


@pytest.fixture(autouse=True)
def nobody_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)


async def some(partner: Web, *names: str) -> list[UUID]:
    made = [await partner.post("/v1/customers", a_body(name, f"{new_id().hex}.example")) for name in names]
    return [UUID(one.json()["id"]) for one in made]


async def work_off(worker: WorkerDatabase, clock: FixedClock, parts: Parts) -> None:
    due = DueWorker(due_work([bundling.kind(KEY, parts)]), worker, clock)
    while await due.work_one():
        pass


async def fetched(partner: Web, job: httpx.Response, tmp_path: Path) -> Path:
    answer = await partner.get(f"/v1/bundles/{job.json()['id']}")
    assert answer.status_code == 200, answer.text
    path = tmp_path / "customers.zip"
    path.write_bytes(answer.content)
    return path


async def keys_of(web: Web) -> KeySet:
    return KeySet([OKPKey.import_key(one) for one in (await web.get("/.well-known/jwks.json")).json()["keys"]])


async def test_all_customers_of_a_partner_leave_as_one_file_with_the_parts_of_all_services(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock, tmp_path: Path
) -> None:
    """BEY-15: each bundle is signed itself; other services are asked in the name of whoever started the job."""
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    ids = await some(partner, "Alpha GmbH", "Beta GmbH", "Gamma GmbH")
    (theirs,) = await some(stranger, "Delta GmbH")
    others = Others()

    job = await partner.post("/v1/bundles", {}, idempotency_key="bundle-1")
    early = await partner.get(f"/v1/bundles/{job.json()['id']}")
    await work_off(worker_database, clock, others.parts)
    path = await fetched(partner, job, tmp_path)

    assert (job.status_code, job.json()["total"], early.json()["code"]) == (202, 3, "bundles_not_ready")
    found = {one.customer_id: one.content async for one in Opened(path).bundles(await keys_of(web), NOW)}
    assert set(found) == set(ids)
    assert theirs not in found
    bundle = await archive.unpack(found[ids[0]], KEYS, NOW, READER)
    assert bundle.manifest.services == ["customers", *SERVICES]
    assert {"licensing/notes.jsonl", "notifications/notes.jsonl", "customer.jsonl"} <= bundle.manifest.files.keys()
    token = others.asked[0].headers["authorization"].removeprefix("Bearer ")
    caller = await Verifier(KEYS).verify(token, clock.now())
    assert (caller.kind, caller.user_id) == ("partner", UUID(str(await as_owner(web, "select started_by from jobs"))))


async def test_while_a_service_is_away_the_job_waits_and_no_file_is_partial(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock, tmp_path: Path
) -> None:
    """BEY-15."""
    partner = await web.a_partner()
    await some(partner, "Alpha GmbH", "Beta GmbH")
    others = Others()
    others.away = {"notifications"}
    job = await partner.post("/v1/bundles", {})
    where = job.headers["location"]

    await work_off(worker_database, clock, others.parts)
    waiting = (await partner.get(where)).json()
    none = await partner.get(f"/v1/bundles/{job.json()['id']}")
    others.away = set()
    clock.move(timedelta(seconds=10))
    await work_off(worker_database, clock, others.parts)

    assert (waiting["status"], waiting["succeeded"], waiting["failed"]) == ("running", 0, 0)
    assert none.json()["code"] == "bundles_not_ready"
    assert (await partner.get(where)).json()["succeeded"] == 2
    assert (await fetched(partner, job, tmp_path)).stat().st_size > 0


async def test_a_part_that_is_refused_is_that_customers_outcome(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner = await web.a_partner()
    await some(partner, "Alpha GmbH")
    others = Others()
    others.refused = True

    job = await partner.post("/v1/bundles", {})
    await work_off(worker_database, clock, others.parts)

    (item,) = (await partner.get(f"{job.headers['location']}/items")).json()["items"]
    assert (item["status"], item["problem"]["code"]) == ("failed", "bundle_part_refused")
    assert (await partner.get(f"/v1/bundles/{job.json()['id']}")).json()["code"] == "bundles_gone"


async def test_the_file_is_of_who_started_the_job_and_is_gone_with_the_customer(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """BEY-15: nobody else sees it, whatever their rights; after a week, or when a customer has left, nothing of it is kept."""
    partner = await web.a_partner()
    stranger = await web.a_partner("Berg IT", "berg.example")
    colleague = await web.a_colleague(partner)
    (customer_id,) = await some(partner, "Alpha GmbH")
    job = await partner.post("/v1/bundles", {"ids": [str(customer_id)]})
    await work_off(worker_database, clock, Others().parts)
    path = f"/v1/bundles/{job.json()['id']}"

    assert (await partner.get(path)).status_code == 200
    for other in (stranger, colleague):
        assert (await other.get(path)).json()["code"] == "job_not_found"
    said = "select v.after::text from audit a join audit_values v on v.audit_id = a.id where v.after->>'export' = 'bundles'"
    assert job.json()["id"] in str(await as_owner(web, said))
    async with worker_database.work() as work:
        assert await bundling.forget(work.session, clock.now() + timedelta(days=6)) == 0
        assert await bundling.forget(work.session, clock.now() + timedelta(days=8)) == 1
    assert (await partner.get(path)).json()["code"] == "bundles_gone"
    await as_owner(web, "update roles set permissions = array_remove(permissions, 'customers.remove')")
    assert (await partner.post("/v1/bundles", {})).json()["code"] == "not_allowed"


async def test_a_file_is_made_and_read_with_one_bundle_in_memory(tmp_path: Path) -> None:
    """BEY-15: 50 MB of bundles, of which a few hundred kilobytes are at hand at any moment."""
    content = b"x" * 100_000
    hashes = {new_id(): hashlib.sha256(content).hexdigest() for _ in range(500)}

    async def each() -> AsyncIterator[tuple[UUID, bytes]]:
        for customer_id in hashes:
            yield customer_id, content

    path, count = tmp_path / "many.zip", 0
    tracemalloc.start()
    try:
        with path.open("wb") as file:
            async for piece in gathered.collected(new_id(), hashes, each(), KEY):
                file.write(piece)
        async for found in Opened(path).bundles(KEYS, NOW):
            count += len(found.content) == len(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (count, path.stat().st_size > 50_000_000) == (500, True)
    assert most < 5_000_000


def changed(path: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    with zipfile.ZipFile(path) as opened:
        parts = {one: opened.read(one) for one in opened.namelist()}
    change(parts)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    other = path.with_name("changed.zip")
    other.write_bytes(made.getvalue())
    return other


async def test_a_file_that_was_changed_is_found_out_wherever_it_was(tmp_path: Path) -> None:
    """BEY-15: a bundle that is missing, another's, or of another signature."""
    one, two = new_id(), new_id()
    bundles = {id_: archive.pack(id_, {}, KEY, services=["customers"], whole=True) for id_ in (one, two)}
    hashes = {id_: hashlib.sha256(made).hexdigest() for id_, made in bundles.items()}

    async def each() -> AsyncIterator[tuple[UUID, bytes]]:
        for item in bundles.items():
            yield item

    path = tmp_path / "whole.zip"
    path.write_bytes(b"".join([piece async for piece in gathered.collected(new_id(), hashes, each(), KEY)]))
    assert {found.customer_id async for found in Opened(path).bundles(KEYS, NOW)} == {one, two}
    name, other = gathered.name_of(one), gathered.name_of(two)
    for wrong, change in (
        (BundleInvalid, lambda parts: parts.pop(name)),
        (BundleInvalid, lambda parts: parts.update({name: parts[other]})),
        (BundleInvalid, lambda parts: parts.update(extra=b"")),
        (BundleUnsigned, lambda parts: parts.update({gathered.MANIFEST: parts[gathered.MANIFEST].replace(b'"format":2', b'"format": 2')})),
        (BundleUnsigned, lambda parts: parts.pop(gathered.SIGNATURE)),
    ):
        with pytest.raises(wrong):
            [found async for found in Opened(changed(path, change)).bundles(KEYS, NOW)]
    with pytest.raises(BundleUnsigned):
        [found async for found in Opened(path).bundles(KeySet([OKPKey.generate_key("Ed25519")]), NOW)]


async def test_the_operator_exports_a_partner_and_imports_it_again_and_again(
    web: Web, another_database: DatabaseSettings, clock: FixedClock, tmp_path: Path
) -> None:
    """BEY-15: what is here already is left alone, so an import that was interrupted goes on; what is here otherwise is refused alone."""
    partner = await web.a_partner()
    ids = await some(partner, "Alpha GmbH", "Beta GmbH", "Gamma GmbH")
    whose = str(await as_owner(web, "select id from partners where name = 'Hafen IT'"))
    (tmp_path / "keys.json").write_text(json.dumps(published([KEY])))
    file = str(tmp_path / "partner.zip")

    def run(database: DatabaseSettings, *words: str) -> tuple[int, str, str]:
        app = commands(lambda: WorkerDatabase(database, clock), lambda: (KEY, Others().parts))
        done = CliRunner().invoke(app, words)
        return done.exit_code, done.stdout, done.stderr

    one = str(tmp_path / "customer.zip")
    for what in (("--partner", whose, "--out", file), ("--customer", str(ids[0]), "--out", one)):
        made = await asyncio.to_thread(run, web.database, "export", *what)
        assert made[0] == 0, made
    async with running_there(another_database, clock) as there:
        await there.a_partner("Elbe IT", "elbe.example")
        elbe = str(await as_owner(there, "select id from partners where name = 'Elbe IT'"))
        taking = ("--partner", elbe, "--keys", str(tmp_path / "keys.json"))
        alone = await asyncio.to_thread(run, another_database, "import", one, *taking)
        whole = await asyncio.to_thread(run, another_database, "import", file, *taking)
        await as_owner(there, "update customers set tags = '{silver}' where id = $1", ids[1])
        again = await asyncio.to_thread(run, another_database, "import", file, *taking)
        settled = await as_owner(there, "select bool_and(products_settled) from customers")

    assert (alone[0], alone[1].count("now.")) == (0, 1)
    assert (whole[0], whole[1].count("now."), whole[1].count("already.")) == (0, 2, 1)
    assert (again[0], again[1].count("already."), again[2].count("bundle_taken")) == (1, 2, 1)
    assert settled is True
    assert settings(web.database).gateway_url is None
