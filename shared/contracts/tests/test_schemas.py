"""What is committed is what was published (BEY-01).

It equals the code, nothing breaks it, and every version that was ever told is read by today's code.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.catalogue import BY_TOPIC, RECORDS
from contracts.customers.customers import CustomerChanged, CustomerCreated
from contracts.envelope import decode
from contracts.gate import Schema
from contracts.records import Record
from contracts.schemas import FOLDER, check, personal_fields, schema_of, write

GOLDEN = sorted((FOLDER / "golden").glob("*/*.json"))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A copy of what is committed."""
    for kind in ("schemas", "golden"):
        shutil.copytree(FOLDER / kind, tmp_path / kind)
    return tmp_path


def change(file: Path, how: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    how(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def test_what_is_committed_is_what_the_code_says() -> None:
    assert check() == []


def _said(told: Any, read: Any) -> Any:
    """What was read, without the fields that did not exist when it was told: they may stand at any depth."""
    if isinstance(told, dict) and isinstance(read, dict):
        return {name: _said(told[name], value) for name, value in read.items() if name in told}
    if isinstance(told, list) and isinstance(read, list) and len(told) == len(read):
        return [_said(*pair) for pair in zip(told, read, strict=True)]
    return read


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_golden_sample_is_read_by_todays_code(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    record = BY_TOPIC[file.parent.name]

    envelope = decode([(name, value.encode()) for name, value in told["headers"].items()])
    read = record.read(json.dumps(told["data"]).encode())

    assert envelope.type == record.topic
    assert envelope.aggregate_type == record.aggregate
    assert _said(told["data"], json.loads(read.payload())) == told["data"]


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_golden_sample_fits_the_published_schema(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    schema = json.loads((FOLDER / "schemas" / f"{file.parent.name}.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(told["data"])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
def test_every_value_of_every_enumeration_stands_in_a_golden_sample(record: type[Record]) -> None:
    told = [file.read_text(encoding="utf-8") for file in GOLDEN if file.parent.name == record.topic]

    for value in _enumerated(schema_of(record)):
        assert any(json.dumps(value) in sample for sample in told), value


def test_personal_values_are_marked_in_the_published_schema() -> None:
    marked = personal_fields(schema_of(CustomerChanged))

    assert "/$defs/Contact/properties/email" in marked
    assert "/$defs/Company/properties/phone" in marked
    assert "/$defs/Company/properties/city" not in marked
    assert personal_fields(schema_of(CustomerCreated)) == []


def test_a_published_schema_lets_a_newer_teller_say_more() -> None:
    schema = schema_of(CustomerCreated)
    told = json.loads((FOLDER / "golden" / CustomerCreated.topic / "1.json").read_text(encoding="utf-8"))["data"]

    jsonschema.Draft202012Validator(schema).validate(told | {"from_a_newer_teller": 1})


def test_writing_again_changes_nothing(published: Path) -> None:
    before = _contents(published)

    assert write(published) == []
    assert _contents(published) == before


def test_a_new_topic_is_published(published: Path) -> None:
    shutil.rmtree(published / "golden" / "trial.started")
    (published / "schemas" / "trial.started.json").unlink()

    assert {problem.partition(":")[0] for problem in check(published)} == {"trial.started"}
    assert write(published) == []
    assert check(published) == []
    assert _contents(published) == _contents(FOLDER)


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (lambda old: old["properties"].update(colour={"type": "string"}), "colour: field_removed"),
        (lambda old: old["properties"]["seats"].update(type="string"), "seats: type_changed"),
        (lambda old: old["properties"]["seats"].update(minimum=1), "seats: widened"),
        (lambda old: old["required"].remove("seats"), "seats: field_required"),
    ],
)
def test_a_break_of_what_was_published_is_found_and_never_written(published: Path, plant: Callable[[Schema], object], named: str) -> None:
    file = published / "schemas" / "trial.started.json"
    change(file, plant)
    before = _contents(published)

    assert any(f"trial.started: {named}" in problem for problem in check(published))
    assert any(f"trial.started: {named}" in problem for problem in write(published))
    assert _contents(published) == before


def test_a_value_that_readers_do_not_know_is_named_as_such(published: Path) -> None:
    change(published / "schemas" / "subscription.changed.json", lambda old: old["$defs"]["SubscriptionStatus"]["enum"].remove("paused"))

    assert any("state.status: value_added: 'paused'" in problem for problem in write(published))


def test_an_optional_field_is_gained_and_the_older_samples_stay(published: Path) -> None:
    """The published contract is made one field poorer: to it, today's code has gained one."""
    schema = published / "schemas" / "partner.changed.json"
    sample = max((published / "golden" / "partner.changed").iterdir(), key=lambda file: int(file.stem))
    change(schema, lambda old: old["$defs"]["SupportInfo"]["properties"].pop("support_phone"))
    change(sample, lambda old: old["data"]["state"]["support"].pop("support_phone"))
    older = sample.read_text(encoding="utf-8")

    assert any("its schema is not what the code says" in problem for problem in check(published))
    assert any("a golden sample is missing" in problem for problem in check(published))
    assert write(published) == []

    assert check(published) == []
    assert sample.read_text(encoding="utf-8") == older
    assert len(list(sample.parent.iterdir())) == len(list((FOLDER / "golden" / "partner.changed").iterdir())) + 1


def test_a_published_topic_cannot_vanish(published: Path) -> None:
    shutil.copy(published / "schemas" / "trial.started.json", published / "schemas" / "trial.begun.json")

    assert any(problem.startswith("trial.begun: was published") for problem in write(published))


def test_a_published_sample_cannot_vanish(published: Path) -> None:
    (published / "golden" / "trial.started" / "1.json").rename(published / "golden" / "trial.started" / "7.json")

    assert any("one that was published is gone" in problem for problem in check(published))


@pytest.mark.parametrize(
    "plant",
    [
        lambda told: told["data"].pop("seats"),
        lambda told: told["data"].update(ends_at="soon"),
        lambda told: told["headers"].pop("ce_partnerid"),
    ],
)
def test_a_sample_that_todays_code_cannot_read_is_found(published: Path, plant: Callable[[dict[str, Any]], object]) -> None:
    change(published / "golden" / "trial.started" / "1.json", plant)

    assert any("today's code cannot read it" in problem for problem in check(published))
    assert any("today's code cannot read it" in problem for problem in write(published))


def test_the_command_fails_and_names_the_break(published: Path) -> None:
    command = [sys.executable, "-m", "contracts.schemas"]
    clean = subprocess.run([*command, "check", published], capture_output=True, text=True, check=False)  # noqa: S603 - our own command

    change(published / "schemas" / "trial.started.json", lambda old: old["properties"]["seats"].update(type="string"))
    broken = subprocess.run([*command, "write", published], capture_output=True, text=True, check=False)  # noqa: S603 - our own command

    assert (clean.returncode, clean.stderr) == (0, "")
    assert broken.returncode == 1
    assert "trial.started: seats: type_changed" in broken.stderr


def _contents(folder: Path) -> dict[str, str]:
    files = [*(folder / "schemas").rglob("*.json"), *(folder / "golden").rglob("*.json")]
    return {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in files}


def _enumerated(node: Any) -> list[Any]:
    if isinstance(node, list):
        return [value for item in node for value in _enumerated(item)]
    if not isinstance(node, dict):
        return []
    return [*node.get("enum", []), *(value for item in node.values() for value in _enumerated(item))]
