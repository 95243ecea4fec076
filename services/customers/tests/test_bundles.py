"""A customer leaves as one signed file with its history, and is the same where that is imported (BEY-15)."""

import asyncio
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import OKPKey

from chassis.bundles import archive
from chassis.bundles.archive import Bundle, File
from chassis.bundles.errors import BundleInvalid, BundleNotWhole, BundleTaken, BundleUnknown, BundleUnsigned
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.due import DueWorker
from chassis.keys import KeySet, published
from chassis.tokens import Issuer
from chassis_testing.clock import FixedClock
from contracts.root import ROOT_PARTNER_ID
from customers.bundles import exporting, importing
from customers.bundles.content import AUDIT, NOUNS, READER
from customers.consents import verifying
from customers.due import kinds
from customers.errors.bundles import NoPlaceForBundle, NotPortable
from customers.rules.bundle_parts import Parts
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, a_body, as_environment, as_owner, link_of, running, settings

KEY = OKPKey.generate_key("Ed25519")
KEYS = KeySet([KEY])
ALONE = Parts(Issuer(KEY), None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
THE_CUSTOMER = "customer.jsonl"


async def a_history(web: Web, clock: FixedClock) -> tuple[Web, UUID]:
    """A partner, and its customer that has users, an answered and an open question, a session and a stage."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body(tags=["gold"]))).json()
    await web.invited("ada@mueller.example")
    path = f"/v1/customers/{customer['id']}"
    await done(partner.put(f"{path}/communications", {"communications_mode": "partner_only"}, if_match="*"))
    await done(partner.put(f"{path}/communications", {"communications_mode": "both"}, if_match="*"))
    await done(partner.post(f"{path}/console-sessions", {}))
    await done(partner.post(f"{path}/stages", None, if_match="*"))
    other = await web.a_partner("Berg IT", "berg.example")
    await done(other.post("/v1/imports", {"email": "ada@mueller.example"}))
    database = WorkerDatabase(web.database, clock)
    while await DueWorker(kinds(), database, clock).work_one():
        pass
    await database.close()
    return partner, UUID(customer["id"])


async def done(asked: Any) -> None:
    answer = await asked
    assert answer.is_success, answer.text


async def exported(database: DatabaseSettings, clock: FixedClock, customer_id: UUID) -> bytes:
    worker = WorkerDatabase(database, clock)
    try:
        async with worker.work() as work:
            return await exporting.export_whole(work, customer_id, KEY, ALONE)
    finally:
        await worker.close()


async def imported(database: DatabaseSettings, clock: FixedClock, bundle: Bundle, partner_id: UUID) -> list[str]:
    """The topics told."""
    worker = WorkerDatabase(database, clock)
    try:
        async with worker.work() as work, work.item(partner_id) as tx:
            await importing.take_in(tx, bundle)
            return [one.record.topic for one in tx.told]
    finally:
        await worker.close()


async def opened(made: bytes) -> Bundle:
    return await archive.unpack(made, KEYS, NOW, READER)


async def partner_of(web: Web, name: str = "Hafen IT") -> UUID:
    return UUID(str(await as_owner(web, "select id from partners where name = $1", name)))


def hashes(bundle: Bundle) -> dict[str, str]:
    return {name: said.sha256 for name, said in bundle.manifest.files.items() if name != AUDIT.file}


def parts(made: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        return {one.filename: opened.read(one) for one in opened.infolist()}


def changed(made: bytes, **changes: bytes | None) -> bytes:
    """The archive with other parts, or without some; names without their dots."""
    whole = parts(made)
    named = {name.replace(".", "_"): name for name in whole}
    whole |= {named.get(name, name): content for name, content in changes.items() if content is not None}
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as packed:
        for name, content in whole.items():
            if changes.get(name.replace(".", "_"), b"") is not None:
                packed.writestr(name, content)
    return again.getvalue()


async def test_what_was_exported_and_imported_is_exported_as_the_same(
    web: Web, another_database: DatabaseSettings, clock: FixedClock
) -> None:
    """BEY-15: each file has the same hash, the ledger holds, and what was open ends in its time."""
    _, customer_id = await a_history(web, clock)
    made = await exported(web.database, clock, customer_id)
    bundle = await opened(made)

    async with running(another_database, clock) as there:
        newcomer = await there.a_partner("Elbe IT", "elbe.example")
        told = await imported(another_database, clock, bundle, await partner_of(there, "Elbe IT"))
        again = await opened(await exported(another_database, clock, customer_id))
        shown = (await newcomer.get(f"/v1/customers/{customer_id}")).json()
        due = await as_owner(there, "select array_agg(kind order by kind) from due")

    assert hashes(again) == hashes(bundle)
    rows = {name: said.rows for name, said in bundle.manifest.files.items()}
    assert all(rows[name] for name in rows if name not in {"reviews.jsonl", "deletion.jsonl"}), rows
    assert (shown["company"]["name"], shown["tags"]) == ("Müller & Söhne GmbH", ["gold"])
    assert told == ["customer.changed", "user.changed"]
    assert due == ["consent.expire", "console_session.expire", "customer.stage", "customer.stage"]
    worker = WorkerDatabase(another_database, clock)
    async with worker.work() as work:
        report = await verifying.verify(work.session)
    await worker.close()
    assert (report.entries > 2, report.findings) == (True, [])


async def test_the_same_customer_is_the_same_bytes(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)

    assert await exported(web.database, clock, customer_id) == await exported(web.database, clock, customer_id)


async def test_no_secret_is_in_a_bundle(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    link = await link_of(web, "ada@mueller.example", LINK_KEY)
    links = await as_owner(web, "select array_agg(id::text) from links")
    hashed = await as_owner(web, "select array_agg(password_hash) from logins where password_hash is not null")
    made = (await exported(web.database, clock, customer_id)).decode(errors="replace")

    assert isinstance(links, list)
    assert isinstance(hashed, list)
    secrets = [PASSWORD, LINK_KEY, link, *links, *hashed]
    assert [one for one in secrets if one in made] == []


async def test_who_imported_sets_a_new_password_by_a_link(web: Web, another_database: DatabaseSettings, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    bundle = await opened(await exported(web.database, clock, customer_id))

    async with running(another_database, clock) as there:
        await there.a_partner("Elbe IT", "elbe.example")
        await imported(another_database, clock, bundle, await partner_of(there, "Elbe IT"))
        refused = await there.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})
        login = await as_owner(there, "select user_id is not null and password_hash is null from logins where email_key like 'ada@%'")

    assert (refused.status_code, login) == (401, True)


@pytest.mark.parametrize("name", ["customer_jsonl", "users_jsonl", "consent_entries_jsonl", "audit_jsonl"])
async def test_a_changed_or_missing_part_is_found(web: Web, clock: FixedClock, name: str) -> None:
    _, customer_id = await a_history(web, clock)
    made = await exported(web.database, clock, customer_id)
    content = next(content for part, content in parts(made).items() if part.replace(".", "_") == name)

    for tampered in (changed(made, **{name: content[:-2] + b" " + content[-2:]}), changed(made, **{name: None})):
        with pytest.raises(BundleInvalid, match=name.replace("_jsonl", ".jsonl")):
            await opened(tampered)
    for worthless in (made[:-30], b"no archive", changed(made, extra=b"{}\n")):
        with pytest.raises(BundleInvalid):
            await opened(worthless)


async def test_a_manifest_is_believed_for_its_signature_alone(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    made = await exported(web.database, clock, customer_id)
    said = parts(made)[archive.MANIFEST]

    with pytest.raises(BundleUnsigned):
        await opened(changed(made, manifest_json=said.replace(b'"whole":true', b'"whole":false')))
    for missing in ("manifest_json", "manifest_jws"):
        with pytest.raises(BundleUnsigned):
            await opened(changed(made, **{missing: None}))
    with pytest.raises(BundleUnsigned):
        await archive.unpack(made, KeySet([OKPKey.generate_key("Ed25519")]), NOW, READER)
    with pytest.raises(BundleUnsigned):
        await opened(changed(made, manifest_jws=b"e30..e30"))


async def test_an_unknown_format_and_an_unknown_shape_are_refused(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    made = await exported(web.database, clock, customer_id)
    later = json.loads(parts(made)[archive.MANIFEST]) | {"format": 3}
    text = json.dumps(later).encode()

    with pytest.raises(BundleUnknown):
        await opened(changed(made, manifest_json=text, manifest_jws=archive.signed(text, KEY)))
    wrong = File(b'{"colour": "red"}\n', 1)
    shapeless = {noun.file: wrong for noun in NOUNS}
    with pytest.raises(BundleInvalid) as refused:
        await opened(archive.pack(customer_id, shapeless, KEY, services=["customers"], whole=True))
    assert "customer.jsonl, line 1" in str(refused.value)
    assert "users.jsonl, line 1: colour" in str(refused.value)


async def test_a_customer_that_is_there_already_is_refused_with_all_that_is_taken(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    bundle = await opened(await exported(web.database, clock, customer_id))
    await as_owner(web, "update customers set tags = '{silver}'")

    with pytest.raises(BundleTaken) as refused:
        await imported(web.database, clock, bundle, await partner_of(web))

    said = {one.pointer for one in refused.value.errors}
    wanted = (
        "customer.jsonl/0/id",
        "customer.jsonl/0/company",
        "customer.jsonl/0/contact/email",
        "users.jsonl/0/id",
        "users.jsonl/0/email",
    )
    assert {f"/{one}" for one in wanted} <= said
    assert "/stages.jsonl/0/id" in said
    assert await as_owner(web, "select count(*) from customers") == 1


async def test_a_company_or_an_address_of_somebody_else_is_taken_too(
    web: Web, another_database: DatabaseSettings, clock: FixedClock
) -> None:
    _, customer_id = await a_history(web, clock)
    bundle = await opened(await exported(web.database, clock, customer_id))

    async with running(another_database, clock) as there:
        elbe = await there.a_partner("Elbe IT", "elbe.example")
        await done(elbe.post("/v1/customers", a_body(domain="elsewhere.example")))
        rival = await there.a_partner("Berg IT", "mueller.example")
        await there.a_colleague(rival, email="Ada@mueller.example")
        with pytest.raises(BundleTaken) as refused:
            await imported(another_database, clock, bundle, await partner_of(there, "Elbe IT"))
        left = await as_owner(there, "select count(*) from customers")

    assert {one.pointer for one in refused.value.errors} == {
        "/customer.jsonl/0/company",
        "/customer.jsonl/0/contact/email",
        "/users.jsonl/0/email",
    }
    assert left == 1


async def test_of_many_who_import_a_bundle_at_once_one_does(web: Web, another_database: DatabaseSettings, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    bundle = await opened(await exported(web.database, clock, customer_id))

    async with running(another_database, clock) as there:
        names = [f"Elbe {number}" for number in range(8)]
        for number, name in enumerate(names):
            await there.a_partner(name, f"elbe{number}.example")
        partners = [await partner_of(there, name) for name in names]
        taking = (imported(another_database, clock, bundle, one) for one in partners)
        ended = await asyncio.gather(*taking, return_exceptions=True)
        kept = await as_owner(there, "select count(*) from customers")

    assert sorted(type(one).__name__ for one in ended) == ["BundleTaken"] * 7 + ["list"]
    assert kept == 1


async def test_a_disabled_partner_and_a_sandbox_take_nobody_in(web: Web, another_database: DatabaseSettings, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    bundle = await opened(await exported(web.database, clock, customer_id))

    async with running(another_database, clock) as there:
        await there.a_partner("Elbe IT", "elbe.example")
        await there.a_partner("Play IT", "play.example", sandbox=True)
        await as_owner(there, "update partners set status = 'disabled' where name = 'Elbe IT'")
        for name in ("Elbe IT", "Play IT"):
            with pytest.raises(NoPlaceForBundle):
                await imported(another_database, clock, bundle, await partner_of(there, name))


async def test_a_customer_that_is_going_stays(web: Web, clock: FixedClock) -> None:
    _, customer_id = await a_history(web, clock)
    await as_owner(web, "update customers set status = 'deleting'")

    with pytest.raises(NotPortable):
        await exported(web.database, clock, customer_id)


async def test_a_partner_gets_what_it_is_shown_and_the_audit_says_so(web: Web, clock: FixedClock) -> None:
    """BEY-15: what another partner has asked is not in it; who may not remove customers, or is somebody else's, gets none."""
    partner, customer_id = await a_history(web, clock)
    stranger = await web.sign_in("grace@berg.example")
    ada = await web.sign_in("ada@mueller.example")
    path = f"/v1/customers/{customer_id}/bundle"

    answer = await partner.get(path)

    keys = KeySet([OKPKey.import_key(one) for one in (await web.get("/.well-known/jwks.json")).json()["keys"]])
    bundle = await archive.unpack(answer.content, keys, NOW, READER)
    assert answer.headers["content-type"] == "application/zip"
    assert (bundle.manifest.whole, AUDIT.file in bundle.manifest.files, bundle.manifest.services) == (False, False, ["customers"])
    assert "import" not in {one.kind for one in bundle.rows["consents.jsonl"]}  # type: ignore[attr-defined]  # rows of consents
    said = "select v.after::text from audit a join audit_values v on v.audit_id = a.id where a.request_id = $1"
    assert await as_owner(web, said, answer.headers["x-request-id"]) == '{"export":"bundle"}'
    assert (await stranger.get(path)).json()["code"] == "customer_not_found"
    assert (await ada.get(path)).status_code == 403
    bob = await web.a_colleague(partner)
    await as_owner(web, "update roles set all_customers = 'read', default_level = 'read' where name = 'Administrator'")
    assert (await bob.get(path)).json()["code"] == "read_only_access"


async def test_a_bundle_that_is_not_whole_is_not_imported(web: Web, another_database: DatabaseSettings, clock: FixedClock) -> None:
    partner, customer_id = await a_history(web, clock)
    made = (await partner.get(f"/v1/customers/{customer_id}/bundle")).content
    keys = KeySet([OKPKey.import_key(one) for one in (await web.get("/.well-known/jwks.json")).json()["keys"]])
    bundle = await archive.unpack(made, keys, NOW, READER)

    async with running(another_database, clock):
        with pytest.raises(BundleNotWhole):
            await imported(another_database, clock, bundle, ROOT_PARTNER_ID)


async def test_the_commands_export_verify_and_import(
    web: Web, another_database: DatabaseSettings, clock: FixedClock, tmp_path: Path
) -> None:
    _, customer_id = await a_history(web, clock)
    mine = settings(web.database)
    key = OKPKey.import_key(json.loads(mine.signing_key.get_secret_value()))
    (tmp_path / "keys.json").write_text(json.dumps(published([key])))
    file, keys = str(tmp_path / "customer.zip"), str(tmp_path / "keys.json")

    def run(made: Any, *words: str) -> tuple[int, str, str]:
        done = subprocess.run(  # noqa: S603 (our own command, waited for)
            [sys.executable, "-m", "customers", "bundle", *words],
            env=os.environ | as_environment(made),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert run(mine, "export", "--customer", str(customer_id), "--out", file)[0] == 0
    assert tmp_path.joinpath("customer.zip").stat().st_mode & 0o777 == 0o600
    assert "users.jsonl: 1" in run(mine, "verify", file, "--keys", keys)[1]
    async with running(another_database, clock) as there:
        partner = await there.a_partner("Elbe IT", "elbe.example")
        taking = ("import", file, "--partner", str(await partner_of(there, "Elbe IT")), "--keys", keys)
        assert run(settings(another_database), *taking)[0] == 0
        assert (await partner.get(f"/v1/customers/{customer_id}")).status_code == 200
        code, said, _ = run(settings(another_database), *taking)
        assert (code, "already." in said) == (0, True)
        await as_owner(there, "update customers set tags = '{silver}'")
        code, _, said = run(settings(another_database), *taking)
        assert (code, "bundle_taken" in said) == (1, True)
        operator = await there.sign_in(OPERATOR)
        assert (await operator.get(f"/v1/customers/{customer_id}")).status_code == 200
