"""Every scenario file comes out exactly, the worked examples V01 to V15 among them, and others can write more in the published shape."""

import json
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

import licensing.billing
from licensing.billing import ScenarioFile, differences, rate, recompute
from licensing.billing.__main__ import main, schema_text

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.json"))
PUBLISHED = Path(licensing.billing.__file__).with_name("scenario.schema.json")
WORKED_EXAMPLES = {
    "V01": ["-5041.10", "32.26"],
    "V02": ["23.96", "5.99", "9.98"],
    "V03": ["5.32", "14.63"],
    "V06": ["-4.00", "2.45", "3.10", "8.00"],
    "V07": ["22614.68", "33.50", "-25705.35", "259.65"],
    "V08": ["-3.64"],
    "V09": ["8.71", "9.68", "-6.45"],
    "V10": ["320.00"],
    "V11": ["105.60", "126.00", "108.00"],
    "V12": ["174.25", "1080.00"],
    "V14": ["-365.00", "-364.00", "-359.00"],
    "V15": ["306.00", "365.00"],
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_comes_out_as_it_says(file: Path) -> None:
    scenario = ScenarioFile.model_validate_json(file.read_bytes())

    for case in scenario.cases:
        rating = rate(case)
        assert differences(case, rating) == [], case.name
        assert [recompute(line) for line in rating.lines] == [line.amount for line in rating.lines]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_fits_the_published_schema(file: Path) -> None:
    jsonschema.validate(json.loads(file.read_bytes()), json.loads(PUBLISHED.read_bytes()))


def test_there_is_one_file_for_every_worked_example() -> None:
    assert {f"V{number:02}" for number in range(1, 16)} <= {file.stem for file in FILES}


@pytest.mark.parametrize("example", WORKED_EXAMPLES)
def test_the_amounts_of_a_worked_example_are_among_the_lines(example: str) -> None:
    scenario = ScenarioFile.model_validate_json((Path(__file__).parent / "scenarios" / f"{example}.json").read_bytes())
    amounts = [line.amount for case in scenario.cases for line in rate(case).lines]

    for amount in WORKED_EXAMPLES[example]:
        amounts.remove(Decimal(amount))


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text("utf-8") == schema_text()


def test_the_command_prints_the_lines_and_says_whether_they_are_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = {"terms": {"price": "10.00"}, "start": {"on": "2024-03-05"}, "expect": {"net": "10.00"}}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"id": "mine", "cases": [case]}))
    assert main([str(file)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [line["amount"] for line in printed["cases"][0]["lines"]] == ["10.00"]

    file.write_text(json.dumps({"id": "mine", "cases": [{**case, "expect": {"net": "11.00"}}]}))
    assert main([str(file)]) == 1
    assert json.loads(capsys.readouterr().out)["cases"][0]["differences"] == ["net: expected 11.00, got 10.00"]

    file.write_text('{"id": "mine"}')
    assert main([str(file)]) == 2
    assert "cases: Field required" in capsys.readouterr().err


def test_a_line_too_many_or_too_few_is_a_difference() -> None:
    case = {"terms": {"price": "10.00"}, "start": {"on": "2024-03-05"}, "expect": {"lines": [{"amount": "9.99"}]}}
    (rated,) = ScenarioFile.model_validate({"id": "x", "cases": [case]}).cases

    assert differences(rated, rate(rated)) == ['expected but not there: {"amount":"9.99"}', "there but not expected: first_period 10.00"]


@pytest.mark.parametrize(
    "broken",
    [
        {"terms": {"price": 10.5}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "-1"}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "NaN"}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "1.0000001"}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "1", "period": "P1M15D"}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "1", "period": "P3M", "term": "P1M"}, "start": {"on": "2024-01-01"}},
        {"terms": {"price": "1"}, "currency": "XAU", "start": {"on": "2024-01-01"}},
        {"terms": {"price": "1"}, "start": {"on": "2024-01-01T10:00:00"}},
        {"terms": {"price": "1"}, "start": {"on": "2024-01-01"}, "usage": [{"on": "2024-01-01", "quantity": 1}]},
        {"terms": {"price": "1"}, "changes": [{"kind": "cancel", "on": "2024-01-01"}]},
        {"start": {"on": "2024-01-01"}},
        {"terms": {"price": "1"}, "policy": {"convention": "second", "rounding": "day_rate_then_days"}, "start": {"on": "2024-01-01"}},
    ],
)
def test_a_case_that_makes_no_sense_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ScenarioFile.model_validate_json(json.dumps({"id": "broken", "cases": [broken]}))
