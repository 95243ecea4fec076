"""The catalogue is what its file says: loaded whole or not at all, and twice is once (C-1, LIC-01, LIC-02)."""

from pathlib import Path

import pytest
from sqlalchemy import select

import onebox
from chassis.database import Work
from contracts.licensing.offers import OfferChanged, OfferPublished
from contracts.licensing.programmes import ProgrammeChanged
from contracts.root import ROOT_PARTNER_ID
from licensing.catalogue import loading, reading
from licensing.catalogue.document import CatalogueFile
from licensing.catalogue.loading import Loaded
from licensing.catalogue.reading import UnreadableFile
from licensing.rules import capabilities
from licensing.tables.offers import Offer, OfferVersion
from licensing.tables.products import Product
from licensing_testing.builders import a_programme, regranted

SHIPPED = Path(str(onebox.__file__)).parent / "data" / "catalogue.yaml"
OFFER = """
offers:
  - code: sep-cloud
    product: sep
    product_type: endpoint_protection
    name: Endpoint Protection
    trial: {duration: P60D, seat_cap: 50, end_behavior: expire}
    price: {currency: EUR, unit_price: 4.50, period: month, charge: in_advance}
"""
TABLE_READING = """
policies:
  capabilities:
    actions:
      set_up_trial: {none: yes, service_provider: yes, rule: LIC-06}
      set_up_paid: {none: no, service_provider: no, rule: LIC-06}
      monitor: {none: yes, service_provider: yes, rule: LIC-06}
      convert_trial: {none: yes, service_provider: yes, rule: C-7}
      manage: {none: yes, service_provider: yes, rule: LIC-06}
"""


async def _load(work: Work, folder: Path, text: str) -> Loaded:
    return await loading.load(work, _read(folder, text))


def _read(folder: Path, text: str) -> CatalogueFile:
    file = folder / "catalogue.yaml"
    file.write_text(text)
    return reading.read(file, CatalogueFile)


async def test_the_shipped_catalogue_has_both_trials_of_the_sources(work: Work) -> None:
    """LIC-01: 60 days and 50 seats; LIC-02: 30 days, seats as ordered."""
    await loading.load(work, reading.read(SHIPPED, CatalogueFile))

    trials = {one.code: one.trial for one in (await work.session.execute(select(Offer))).scalars()}
    symantec, proofpoint = trials["sep-cloud"], trials["email-security-advanced"]
    assert symantec is not None
    assert proofpoint is not None
    assert (symantec["duration"], symantec["seat_cap"], symantec["end_behavior"]) == ("P60D", 50, "expire")
    assert (proofpoint["duration"], proofpoint["seat_cap"], proofpoint["end_behavior"]) == ("P30D", None, "expire")


def test_a_trial_that_converts_asks_for_programme_and_terms_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    """C-1: ``convert_requires: [programme_active, eula]``."""
    converting = OFFER.replace("end_behavior: expire", "end_behavior: convert")

    files = [_read(tmp_path, text) for text in (converting, converting.replace("convert}", "convert, convert_requires: [eula]}"), OFFER)]

    assert [one.offers[0].trial.convert_requires for one in files if one.offers[0].trial] == [["programme_active", "eula"], ["eula"], []]


async def test_a_trial_is_not_prolonged_nor_its_use_billed_unless_the_file_says_so(work: Work, tmp_path: Path) -> None:
    """C-1: ``extension: {max: 0, by_role}``, ``usage_billable: false``; what is said is published as it is said."""
    generous = OFFER.replace(
        "end_behavior: expire", "end_behavior: expire, usage_billable: true, extension: {max: 1, by_role: {support: 3}}"
    )

    for text in (OFFER, generous):
        await _load(work, tmp_path, text)

    told = [one.record.state.trial for one in work._told if isinstance(one.record, OfferChanged)]
    assert [(one.extension.model_dump(), one.usage_billable) for one in told if one] == [
        ({"max": 0, "by_role": {}}, False),
        ({"max": 1, "by_role": {"support": 3}}, True),
    ]


async def test_the_shipped_catalogue_changes_no_policy_that_is_in_force(work: Work) -> None:
    """C-7: the shipped matrix is the text's reading already."""
    loaded = await loading.load(work, reading.read(SHIPPED, CatalogueFile))

    assert loaded.policies == []


async def test_loading_the_same_file_again_changes_nothing(work: Work, tmp_path: Path) -> None:
    await _load(work, tmp_path, OFFER)
    told = len(work._told)

    assert await _load(work, tmp_path, OFFER) == Loaded(products=[], offers=[], serials=0, policies=[])
    assert len(work._told) == told


async def test_a_new_offer_is_published_in_the_name_of_the_root_party(work: Work, tmp_path: Path) -> None:
    await _load(work, tmp_path, OFFER)

    assert [type(one.record) for one in work._told] == [OfferPublished, OfferChanged]
    assert {one.about.partner_id for one in work._told} == {ROOT_PARTNER_ID}


async def test_a_changed_offer_gets_its_next_version_and_the_old_one_stays(work: Work, tmp_path: Path) -> None:
    """C-1: the trial policy belongs to the offer version."""
    await _load(work, tmp_path, OFFER)

    loaded = await _load(work, tmp_path, OFFER.replace("P60D", "P45D"))

    versions = select(OfferVersion).order_by(OfferVersion.offer_version)
    kept = [(one.offer_version, one.document["trial"]["duration"]) for one in (await work.session.execute(versions)).scalars()]
    assert loaded.offers == ["sep-cloud"]
    assert kept == [(1, "P60D"), (2, "P45D")]


async def test_another_reading_of_the_matrix_reaches_running_programmes(work: Work, tmp_path: Path) -> None:
    """C-7, BEY-04: a new version decides from now on, and programmes tell what they grant now."""
    async with work.item(ROOT_PARTNER_ID) as tx:
        await a_programme(tx)
    work._told.clear()

    await _load(work, tmp_path, TABLE_READING)

    async with work.item(ROOT_PARTNER_ID) as tx:
        await regranted(tx)
        may = await capabilities.of(tx)
    assert (may.version, may.decide("set_up_paid").allowed) == (2, False)
    states = [one.record.state.capabilities for one in work._told if isinstance(one.record, ProgrammeChanged)]
    assert states == [["convert_trial", "manage", "monitor", "set_up_trial"]]


async def test_a_serial_number_does_not_change_its_kind(work: Work, tmp_path: Path) -> None:
    await _load(work, tmp_path, "serials: [{code: ABCD-1234, kind: service_provider}]")

    with pytest.raises(UnreadableFile, match=r"serials\[0\]: ABCD-1234 was loaded as service_provider"):
        await _load(work, tmp_path, "serials: [{code: ABCD-1234, kind: product, product: sep}]")


def test_all_that_is_wrong_is_named_with_its_place(tmp_path: Path) -> None:
    text = OFFER.replace("P60D", "two months").replace("EUR", "EURO").replace("code: sep-cloud", "code: SEP Cloud")

    with pytest.raises(UnreadableFile) as refused:
        _read(tmp_path, text)

    places = [problem.split(":")[0] for problem in refused.value.problems]
    assert places == ["offers[0].code", "offers[0].trial.duration", "offers[0].price.currency"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("offers: [", "line 1, column 10"),
        ("offers: &a []\nserials: *a", "line 2, column 10: aliases are not read"),
        ("offers: []\noffers: []", "line 2, column 1: 'offers' is said twice"),
        ("offers: " + "[" * 40 + "]" * 40, "nested too deep"),
        ("!!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("- 1", "the file: "),
        ("", "the file: "),
        ("a: b", "a: Extra inputs"),
        ("{[1]: 2}", "line 1, column 2"),
        ("#" * 1_000_001, "is larger than"),
        ("serials: [{code: ABCD-1234, kind: service_provider}, {code: ABCD-1234, kind: service_provider}]", "said twice: ABCD-1234"),
        (OFFER.replace("4.50", "-1"), "offers[0].price.unit_price"),
        (OFFER.replace("4.50", ".nan"), "offers[0].price.unit_price"),
        (OFFER.replace("50,", "yes,"), "offers[0].trial.seat_cap"),
        (OFFER.replace("expire}", "convert, convert_requires: [price]}"), "offers[0].trial.convert_requires"),
        (OFFER.replace("expire}", "expire, extension: {max: -1}}"), "offers[0].trial.extension.max"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        _read(tmp_path, text)

    assert says in str(refused.value)


def test_a_missing_file_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")

    for name in ("missing.yaml", "bytes.yaml"):
        with pytest.raises(UnreadableFile, match=name):
            reading.read(tmp_path / name, CatalogueFile)


async def test_the_shipped_products_say_what_they_can_be_set_by(work: Work) -> None:
    """CUS-65 to CUS-67: templates for two products, policies for one of them, firmware for the other."""
    await loading.load(work, reading.read(SHIPPED, CatalogueFile))

    products = (await work.session.scalars(select(Product).order_by(Product.code))).all()
    capable = {one.code: (one.templates, one.policies, one.firmware) for one in products}
    assert capable == {"cloud-edge": (True, False, True), "sep-cloud": (False, False, False), "worry-free": (True, True, False)}


async def test_a_product_that_differs_is_changed_and_one_that_is_not_named_stays(work: Work, tmp_path: Path) -> None:
    said = "products:\n  - {code: worry-free, name: Worry-Free, templates: true, defaults: {scan: daily}}\n"
    first = await _load(work, tmp_path, said)
    again = await _load(work, tmp_path, said)
    changed = await _load(work, tmp_path, said.replace("daily", "weekly"))
    other = await _load(work, tmp_path, said.replace("worry-free", "cloud-edge"))

    assert [one.products for one in (first, again, changed, other)] == [["worry-free"], [], ["worry-free"], ["cloud-edge"]]
    kept = (await work.session.scalars(select(Product).where(Product.code == "worry-free"))).one()
    assert kept.defaults == {"scan": "weekly"}


@pytest.mark.parametrize(
    ("product", "says"),
    [
        ("{code: a, name: A, defaults: {scan: daily}}", "no templates"),
        ("{code: a, name: A, templates: true, defaults: {admin_password: hunter2}}", "no secrets"),
        ("{code: a, name: A, templates: yes}", "bool"),
        ("{code: a, name: A}, {code: a, name: B}", "said twice: a"),
    ],
)
def test_a_product_that_makes_no_sense_is_refused_with_its_place(tmp_path: Path, product: str, says: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        _read(tmp_path, f"products: [{product}]\n")

    assert says in str(refused.value)
