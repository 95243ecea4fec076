"""Whatever is done to the ledger afterwards is found, and who may write to it may not change it (BEY-14)."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.database import DatabaseSettings, Transaction, Work, WorkerDatabase
from chassis.ids import new_id
from contracts.customers.consents import Addressee
from customers.consents import verifying
from customers.rules import consenting
from customers.rules.asking import Asking
from customers.tables.customers import Customer
from customers_testing.builders import a_customer, a_partner, for_company, the_known_world
from customers_testing.http import as_environment, settings

ADA = Addressee(company="Müller & Söhne GmbH", name="Ada Lovelace", email="ada@mueller.example", language="de")
FOURTH = "number = 4 and customer_id = (select min(customer_id::text)::uuid from consent_entries)"
TAMPERINGS = {
    "its answer changed": "update consent_entries set state = 'granted' where it_is_the_fourth",
    "its scope changed": "update consent_entries set scope = '{}' where it_is_the_fourth",
    "its evidence changed": "update consent_entries set evidence = '{}' where it_is_the_fourth",
    "its time changed": "update consent_entries set at = at - interval '1 second' where it_is_the_fourth",
    "removed": "delete from consent_entries where it_is_the_fourth",
    "the last one removed": "delete from consent_entries where number = 5",
    "one put in": (
        "insert into consent_entries select (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'number', 6))).*"
        " from consent_entries e where it_is_the_fourth"
    ),
    "reordered": (
        "update consent_entries set number = -number where number in (3, 4);"
        "update consent_entries set number = case number when -3 then 4 else 3 end where number < 0"
    ),
    "moved to another customer": (
        "update consent_entries set number = 6, (partner_id, customer_id) ="
        " (select partner_id, id from customers where id <> customer_id) where it_is_the_fourth"
    ),
    "its head moved": "update consent_heads set number = 4",
    "its head removed": "delete from consent_heads",
    "the consent changed": "update consents set state = 'granted' where state = 'superseded'",
    "the consent removed": "delete from consents where state = 'requested'",
    "a consent put in": (
        "insert into consents select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'state', 'granted'))).*"
        " from consents c where state = 'requested'"
    ),
}


async def asked(tx: Transaction, customer: Customer) -> None:
    asking = Asking(kind="console_launch", scope={"products": []}, partner_id=tx.partner_id, user_id=None, evidence={"by": "service"})
    await consenting.ask(tx, customer, asking, ADA)


async def two_chains(work: Work) -> None:
    """Two customers, each with five entries: three questions, of which each supersedes the one before."""
    await the_known_world(work)
    async with work.item(new_id()) as tx:
        await a_partner(tx)
        for customer in (await a_customer(tx), await a_customer(tx, **vars_of("Berg Bau", "berg.example"))):
            for _ in range(3):
                await asked(tx, customer)


def vars_of(name: str, domain: str) -> dict[str, object]:
    other = for_company(name, domain)
    return {"company": other.company, "contact": other.contact, "domain": other.domain}


def tampered(how: str) -> str:
    return TAMPERINGS[how].replace("it_is_the_fourth", FOURTH)


async def owner(database: DatabaseSettings) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=database.host, port=database.port, database=database.name, user=database.user("owner"), password=database.password("owner")
    )


async def test_a_ledger_that_nobody_touched_is_whole(worker_database: WorkerDatabase) -> None:
    async with worker_database.work() as work:
        await two_chains(work)
    async with worker_database.work() as work:
        report = await verifying.verify(work.session)

    assert (report.entries, len(report.heads), report.findings) == (10, 2, [])


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_every_tampering_is_found(worker_database: WorkerDatabase, fresh_database: DatabaseSettings, tampering: str) -> None:
    """BEY-14."""
    async with worker_database.work() as work:
        await two_chains(work)
    connection = await owner(fresh_database)
    await connection.execute(tampered(tampering))
    await connection.close()

    async with worker_database.work() as work:
        assert (await verifying.verify(work.session)).findings != []


async def test_a_chain_that_was_cut_off_with_its_end_is_found_by_who_kept_it(
    worker_database: WorkerDatabase, fresh_database: DatabaseSettings
) -> None:
    async with worker_database.work() as work:
        await two_chains(work)
    async with worker_database.work() as work:
        kept = (await verifying.verify(work.session)).heads
    connection = await owner(fresh_database)
    await connection.execute("delete from consents; delete from consent_entries; delete from consent_heads")
    await connection.close()

    async with worker_database.work() as work:
        assert (await verifying.verify(work.session)).findings == []
        assert {one.what for one in (await verifying.verify(work.session, kept=kept)).findings} == {"the whole chain is gone"}


@pytest.mark.parametrize(
    "change", ["update consent_entries set state = 'granted'", "delete from consent_entries", "delete from consent_heads"]
)
async def test_nobody_who_runs_may_change_what_is_in_the_ledger(tx: Transaction, work: Work, change: str) -> None:
    await a_partner(tx)
    await asked(tx, await a_customer(tx))

    for session in (tx.session, work.session):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with session.begin_nested():
                await session.execute(text(change))


async def test_the_command_says_what_it_found(worker_database: WorkerDatabase, fresh_database: DatabaseSettings, tmp_path: Path) -> None:
    async with worker_database.work() as work:
        await two_chains(work)
    environment = os.environ | as_environment(settings(fresh_database))
    heads = str(tmp_path / "heads.json")

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(  # noqa: S603 (our own command, waited for)
            [sys.executable, "-m", "customers", "consents", "verify", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert run("--keep", heads)[:2] == (0, "10 entries of 2 customers, 0 findings\n")
    assert run("--kept", heads)[0] == 0
    connection = await owner(fresh_database)
    await connection.execute(tampered("its answer changed"))
    await connection.close()
    code, _, said = run("--kept", heads)
    assert (code, "entry 4: changed" in said) == (1, True)
