"""Lists of denied parties are read as their publishers write them, and looked through anew for every customer (CUS-13)."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from chassis_testing.views import fitted
from contracts.root import ROOT_PARTNER_ID
from customers import due
from customers.denied_parties import rescreening
from customers.denied_parties.files import BadList, read_file
from customers.denied_parties.loading import load
from customers.denied_parties.shown import ScreeningView
from customers.rules.screening import DeniedParty, Index
from customers_testing.builders import DENIED
from customers_testing.http import OPERATOR, Web, a_body, as_owner

OFAC = """<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
  <publshInformation><Publish_Date>11/20/2026</Publish_Date><Record_Count>3</Record_Count></publshInformation>
  <sdnEntry>
    <uid>36</uid><lastName>AEROSOMBRA  AIRLINES</lastName><sdnType>Entity</sdnType>
    <programList><program>CUBA</program></programList>
    <akaList><aka><uid>12</uid><type>a.k.a.</type><category>strong</category><lastName>AERO-SOMBRA</lastName></aka>
      <aka><uid>13</uid><type>a.k.a.</type><category>weak</category><lastName>Condor</lastName></aka></akaList>
    <addressList><address><uid>25</uid><city>Havana</city><country>Cuba</country></address>
      <address><uid>26</uid><country>Cuba</country></address><address><uid>27</uid><country>Panama</country></address></addressList>
  </sdnEntry>
  <sdnEntry><uid>77</uid><firstName>Viktor</firstName><lastName>OSTRAKOV</lastName><sdnType>Individual</sdnType>
    <nationalityList><nationality><uid>1</uid><country>Russia</country></nationality></nationalityList></sdnEntry>
  <sdnEntry><uid>99</uid><lastName>BLACK PEARL</lastName><sdnType>Vessel</sdnType></sdnEntry>
</sdnList>"""
EU = """\ufeff<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-20T17:08:33.903+01:00" globalFileId="1">
  <sanctionEntity designationDetails="" unitedNationId="" euReferenceNumber="EU.27.28" logicalId="13">
    <regulation regulationType="regulation" organisationType="commission" logicalId="348"/>
    <subjectType code="person" classificationCode="P"/>
    <nameAlias firstName="Wiktor" middleName="" lastName="Ostrakow" wholeName="Wiktor  Ostrakow" strong="true" logicalId="17"/>
    <nameAlias firstName="Vitya" middleName="" lastName="" wholeName="" strong="false" logicalId="18"/>
    <citizenship countryIso2Code="RU"/><address city="" countryIso2Code="00"/><address countryIso2Code="BY"/>
  </sanctionEntity>
  <sanctionEntity euReferenceNumber="" logicalId="14">
    <subjectType code="enterprise" classificationCode="E"/><nameAlias wholeName="Schattenhandel OOO"/>
  </sanctionEntity>
</export>"""


def written(folder: Path, text: str) -> Path:
    file = folder / "list.xml"
    file.write_text(text, encoding="utf-8")
    return file


async def worked(web: Web, clock: FixedClock) -> None:
    worker = WorkerDatabase(web.database, clock)
    working = DueWorker(due.kinds(), worker, clock)
    while await working.work_one():
        pass
    await worker.close()


async def listed(web: Web, clock: FixedClock, *parties: DeniedParty) -> None:
    """A list is loaded, and every customer is looked at again."""
    worker = WorkerDatabase(web.database, clock)
    async with worker.work() as work:
        await load(work, parties)
        async with work.item(ROOT_PARTNER_ID) as tx:
            await rescreening.begin(tx)
    await worker.close()
    await worked(web, clock)


async def screening(web: Web) -> dict[str, Any]:
    answer = await (await web.sign_in(OPERATOR)).get("/v1/screening")
    fitted(ScreeningView, answer.content)
    said: dict[str, Any] = answer.json()
    return said


def test_ofacs_list_is_read_with_its_aliases(tmp_path: Path) -> None:
    """CUS-13: names, strong and weak aliases, kinds and countries; a ship is nobody's customer."""
    about = {"country": "Cuba, Panama", "entity_type": "entity"}

    assert read_file(written(tmp_path, OFAC)) == [
        DeniedParty("OFAC SDN", "36", "AEROSOMBRA AIRLINES", **about),
        DeniedParty("OFAC SDN", "36", "AERO-SOMBRA", **about),
        DeniedParty("OFAC SDN", "36", "Condor", weak=True, **about),
        DeniedParty("OFAC SDN", "77", "Viktor OSTRAKOV", "Russia", entity_type="individual"),
    ]


def test_the_eus_list_is_read_with_its_aliases(tmp_path: Path) -> None:
    """CUS-13."""
    assert read_file(written(tmp_path, EU)) == [
        DeniedParty("EU", "EU.27.28", "Wiktor Ostrakow", "RU, BY", entity_type="individual"),
        DeniedParty("EU", "EU.27.28", "Vitya", "RU, BY", weak=True, entity_type="individual"),
        DeniedParty("EU", "14", "Schattenhandel OOO", None, entity_type="entity"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html><body/></html>", "begins with <html>"),
        ("<sdnList><sdnEntry>", "no XML that is read here"),
        ('<!DOCTYPE sdnList [<!ENTITY a "aaaaaaaaaa">]><sdnList>&a;</sdnList>', "no XML that is read here"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """Nor is a document that would make much of little, or fetch something."""
    with pytest.raises(BadList, match=says):
        read_file(written(tmp_path, text))


def test_a_weak_alias_is_a_concern_only_as_it_stands() -> None:
    """CUS-13: else every Condor Travel would be held."""
    index = Index([DeniedParty("X", "1", "Condor", None, weak=True), DeniedParty("X", "2", "Krasnaya Zvezda", None)])

    assert [match.score for match in index.matches("CONDOR")] == [100]
    assert index.matches("Condor Travel GmbH") == index.matches("Condora") == []
    assert index.matches("Krasnaja Zvesda")


async def test_who_comes_onto_a_list_is_held(web: Web, clock: FixedClock) -> None:
    """CUS-13: over all partners; the operator sees how far it has come."""
    one, two = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    held = (await one.post("/v1/customers", a_body("Schattenhandel", "schatten.example"))).headers["location"]
    free = (await two.post("/v1/customers", a_body())).headers["location"]

    await listed(web, clock, DeniedParty("EU", "14", "Schattenhandel OOO", "RU"))

    assert (await one.get(held)).json()["status"] == "pending_review"
    assert (await two.get(free)).json()["status"] == "active"
    said = await screening(web)
    assert {one["list_name"]: one["names"] for one in said["lists"]} == {"EU": 1, "UN": 1}
    run = said["run"]
    assert (run["partners"], run["partners_done"], run["customers"], run["found"]) == (2, 2, 2, 1)
    assert run["ended_at"]
    facts = "select string_agg(topic, ' ' order by id) from outbox where entity = $1"
    assert "customer.review_opened customer.changed" in str(await as_owner(web, facts, UUID(held.rpartition("/")[2])))


async def test_who_was_cleared_stays_so_for_the_same_entry_and_name(web: Web, clock: FixedClock) -> None:
    """CUS-13: another entry, or another name, is another question."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    path = (await partner.post("/v1/customers", a_body(company=a_body()["company"] | {"name": DENIED}))).headers["location"]
    await operator.post(f"{path}/review/clear", if_match="*")

    await listed(web, clock, DeniedParty("EU", "1", "Somebody Else Entirely", None))
    assert (await partner.get(path)).json()["status"] == "active"

    await listed(web, clock, DeniedParty("EU", "2", DENIED, "RU"))
    shown = (await partner.get(path)).json()
    assert (shown["status"], shown["review_reasons"]) == ("pending_review", ["denied_party"])
    [review] = (await operator.get("/v1/reviews")).json()["items"]
    assert [finding["entry"] for finding in review["findings"]] == ["EU 2"]


async def test_a_customer_that_is_held_already_is_held_once(web: Web, clock: FixedClock) -> None:
    """CUS-13: nothing is told of what is known; what is new is added for the reviewer."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    path = (await partner.post("/v1/customers", a_body(company=a_body()["company"] | {"name": DENIED}))).headers["location"]
    before = (await partner.get(path)).json()["version"]

    await listed(web, clock, DeniedParty("EU", "2", DENIED, "RU"))

    [review] = (await operator.get("/v1/reviews")).json()["items"]
    assert [finding["entry"] for finding in review["findings"]] == ["UN RUe.1", "EU 2"]
    assert (await partner.get(path)).json()["version"] == before
    assert (await screening(web))["run"]["found"] == 0


async def test_a_look_goes_on_where_it_was_broken_off(web: Web, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUS-13: batch by batch, each customer once."""
    monkeypatch.setattr(rescreening, "BATCH", 2)
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    for number in range(5):
        await partner.post("/v1/customers", a_body(f"Company {number}", f"number{number}.example"))
    assert (await operator.post("/v1/screening/rescreen")).status_code == 202
    worker = WorkerDatabase(web.database, clock)
    first = DueWorker(due.kinds(), worker, clock)
    assert [await first.work_one() for _ in range(2)] == [True, True]
    await worker.close()
    halfway = (await screening(web))["run"]

    await worked(web, clock)

    assert (halfway["customers"], halfway["partners_done"], halfway["ended_at"]) == (2, 0, None)
    run = (await screening(web))["run"]
    assert (run["customers"], run["partners"], run["partners_done"]) == (5, 1, 1)


async def test_only_the_operator_screens(web: Web) -> None:
    partner = await web.a_partner()

    for answer in (await partner.get("/v1/screening"), await partner.post("/v1/screening/rescreen")):
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_principal")
