"""What no API can do: the root party with its first operator, and the lists of denied parties (CUS-13)."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import func, select

from chassis.database import DatabaseSettings, Work
from chassis_testing.clock import FixedClock
from contracts.customers.partners import PartnerRegistered
from contracts.customers.roles import RoleCreated
from contracts.customers.users import UserCreated
from contracts.root import ROOT_PARTNER_ID
from customers.bootstrap import Bootstrap, bootstrap
from customers.denied_parties.files import BadList, read_file
from customers.denied_parties.loading import load
from customers.rules.screening import DeniedParty
from customers.tables.known import ScreeningList, ScreeningName
from customers.tables.partners import Partner
from customers_testing.http import OPERATOR, PASSWORD, as_environment, running, settings

DEMO_LIST = files("onebox") / "data" / "screening.csv"
FIRST = Bootstrap(email=OPERATOR, password_hash="$argon2id$...")


async def test_the_root_party_comes_with_its_roles_and_an_operator(work: Work) -> None:
    async with work.item(ROOT_PARTNER_ID) as tx:
        assert await bootstrap(tx, FIRST) is True
        assert tx.facts_told == [PartnerRegistered, RoleCreated, RoleCreated, UserCreated]
    assert await work.session.scalar(select(func.count()).where(Partner.parent_id.is_(None), Partner.id == ROOT_PARTNER_ID)) == 1


async def test_bootstrapping_twice_is_once(work: Work) -> None:
    for made in (True, False):
        async with work.item(ROOT_PARTNER_ID) as tx:
            assert await bootstrap(tx, Bootstrap(email="another@vendor.example", password_hash="x")) is made


async def test_the_first_operator_signs_in(fresh_database: DatabaseSettings, clock: FixedClock) -> None:
    async with running(fresh_database, clock) as web:
        me = (await (await web.sign_in(OPERATOR)).get("/v1/me")).json()

    assert (me["user"]["kind"], me["partner"]["id"]) == ("operator", str(ROOT_PARTNER_ID))
    assert [role["name"] for role in me["roles"]] == ["Partner Administrator"]


async def test_loading_a_list_replaces_it_and_leaves_others(work: Work) -> None:
    """CUS-13."""
    first = [DeniedParty("EU", "1", "Black Harbour", "PA"), DeniedParty("EU", "2", "Ghost Ledger", None)]
    await load(work, first)
    before = await work.session.scalar(select(ScreeningList.load_id).where(ScreeningList.list_name == "EU"))

    assert await load(work, [DeniedParty("EU", "3", "Orient Falcon", "IR")]) == {"EU": 1}

    names = await work.session.scalars(select(ScreeningName.name).where(ScreeningName.list_name == "EU"))
    assert list(names) == ["Orient Falcon"]
    assert await work.session.scalar(select(ScreeningList.load_id).where(ScreeningList.list_name == "EU")) != before
    assert await work.session.scalar(select(func.count()).where(ScreeningName.list_name == "UN")) == 1


def test_a_file_is_read_with_its_accents(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text('\ufeffname,country,list,reference\n"Müller, Söhne",DE,EU,1\nOstrakov,,EU,2\n', encoding="utf-8")

    assert read_file(file) == [DeniedParty("EU", "1", "Müller, Söhne", "DE"), DeniedParty("EU", "2", "Ostrakov", None)]


@pytest.mark.parametrize(
    ("text", "says"), [("name,list\nx,y\n", "no column country, reference"), ("name,country,list,reference\n,DE,EU,1\n", "line 2")]
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadList, match=says):
        read_file(file)


def test_the_commands_run_as_they_are_typed(fresh_database: DatabaseSettings, tmp_path: Path) -> None:
    """CUS-13: from an environment alone, twice, with the list that the demo brings."""
    environment = os.environ | as_environment(settings(fresh_database)) | {"CUSTOMERS_BOOTSTRAP_PASSWORD": PASSWORD}

    def run(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-m", "customers", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "is the first operator" in run("bootstrap", "--email", OPERATOR)
    assert "nothing was changed" in run("bootstrap", "--email", OPERATOR)
    assert run("load-screening", str(DEMO_LIST)).splitlines() == ["demo-embargo: 6 names", "demo-persons: 4 names"]
