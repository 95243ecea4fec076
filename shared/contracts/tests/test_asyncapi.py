"""The event catalogue that is committed is what the code tells, and holds together (BEY-01)."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import create_model

from contracts import asyncapi, attributes, beats, events_page, published, samples, topics
from contracts.asyncapi import TwoMeanings, check, document, write
from contracts.catalogue import BY_TOPIC, RECORDS
from contracts.envelope import encode
from contracts.records import Fact, Part, Record
from contracts.schemas import FOLDER
from contracts.topics import UnknownTopic

ROOT = topics.find(Path(__file__).parent).parents[1]
SPECS = topics.load(ROOT / topics.FILE)
DOCUMENT = document(SPECS)
GOLDEN = sorted((FOLDER / "golden").glob("*/*.json"))

KNOWN = {
    "asyncapi": {"asyncapi", "id", "info", "defaultContentType", "channels", "operations", "components"},
    "channel": {"address", "title", "description", "messages", "tags", "bindings"},
    "operation": {"action", "channel", "messages", "summary", "tags"},
    "message": {"name", "title", "summary", "contentType", "headers", "payload", "correlationId", "bindings", "examples"},
}
"""What AsyncAPI 3.0 lets these objects say, as far as it is said here; besides it only ``x-`` extensions."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is committed, with the topics it comes from."""
    for file in (topics.FILE, "docs/events/README.md", "docs/events/asyncapi.json", "shared/contracts/src/contracts/asyncapi.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_what_is_committed_is_what_the_code_says() -> None:
    assert check(ROOT) == []


def test_what_is_served_is_what_is_committed() -> None:
    assert published.event_catalogue() == (ROOT / "docs/events/asyncapi.json").read_bytes()


def test_a_topic_that_is_kept_for_another_time_makes_the_catalogue_stale(tree: Path) -> None:
    assert check(tree) == []
    file = tree / topics.FILE
    file.write_text(file.read_text(encoding="utf-8").replace("retention: P35D", "retention: P20D"), encoding="utf-8")

    assert [Path(problem.partition(":")[0]).name for problem in check(tree)] == ["asyncapi.json", "asyncapi.json", "README.md"]

    write(tree)
    assert check(tree) == []
    assert "20 days" in (tree / "docs/events/README.md").read_text(encoding="utf-8")


def test_the_command_says_what_is_stale_and_mends_it(tree: Path) -> None:
    (tree / "docs/events/README.md").unlink()

    stale = _run("check", tree)
    assert stale.returncode == 1
    assert "README.md: not what the code says" in stale.stderr

    assert _run("write", tree).returncode == 0
    assert _run("check", tree).returncode == 0


def test_it_says_only_what_asyncapi_knows() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    _only(KNOWN["asyncapi"], DOCUMENT)
    for channel in DOCUMENT["channels"].values():
        _only(KNOWN["channel"], channel)
    for operation in DOCUMENT["operations"].values():
        _only(KNOWN["operation"], operation)
    for name, message in DOCUMENT["components"]["messages"].items():
        _only(KNOWN["message"] - ({"correlationId"} if name == beats.TYPE else set()), message)


def test_every_reference_leads_somewhere() -> None:
    references = list(_references(DOCUMENT))

    assert len(references) > 5 * len(RECORDS)
    for reference in references:
        target: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert isinstance(target, dict), reference


def test_every_topic_is_either_described_or_reserved() -> None:
    assert set(DOCUMENT["channels"]) == set(BY_TOPIC)
    assert {*DOCUMENT["channels"], *DOCUMENT["x-reserved-topics"]} == {topic.name for topic in SPECS}
    with pytest.raises(UnknownTopic):
        document(SPECS[1:])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
def test_a_channel_says_who_tells_how_it_is_keyed_and_how_long_it_is_kept(record: type[Record]) -> None:
    [topic] = topics.pick(SPECS, [record.topic])
    channel = DOCUMENT["channels"][record.topic]
    operation = DOCUMENT["operations"][f"tell.{record.topic}"]
    kafka = channel["bindings"]["kafka"]

    assert (channel["address"], channel["x-told-by"], channel["x-key"]) == (record.topic, topic.teller, topic.key)
    assert channel["x-billing"] is topic.billing
    assert operation["action"] == "send"
    assert operation["channel"] == {"$ref": f"#/channels/{record.topic}"}
    assert kafka["partitions"] == topic.partitions
    assert kafka["topicConfiguration"]["cleanup.policy"] == ["compact" if topic.state else "delete"]
    if topic.billing:
        assert channel["x-kept"] == "for ever"
        assert kafka["topicConfiguration"]["retention.ms"] == -1


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_golden_sample_fits_the_catalogue(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    message = DOCUMENT["components"]["messages"][file.parent.name]

    _fits(message["headers"], told["headers"])
    _fits(message["payload"], told["data"])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
def test_the_headers_are_those_that_are_written(record: type[Record]) -> None:
    schema = attributes.schema()
    full, sparse = ({name for name, _ in encode(samples.envelope(record, number))} for number in (0, 1))

    assert full | {"ce_customerid"} == set(schema["properties"])
    assert sparse - {"ce_customerid"} == set(schema["required"])


def test_state_topics_and_no_others_carry_beats() -> None:
    """Who may do what must be known to the second; elsewhere a beat an hour lets compaction clean."""
    with_beats = {name for name, channel in DOCUMENT["channels"].items() if beats.TYPE in channel["messages"]}
    often = {name for name, channel in DOCUMENT["channels"].items() if channel.get("x-beat-seconds") == 1}

    assert with_beats == {topic.name for topic in SPECS if topic.state and topic.name in BY_TOPIC}
    assert often == beats.ACCESS == {topic.name for topic in SPECS if topic.state and topic.config["max.compaction.lag.ms"] == "3600000"}


def test_a_beat_fits_the_catalogue_and_a_state_is_none() -> None:
    beat, state = (DOCUMENT["components"]["messages"][name] for name in (beats.TYPE, "user.changed"))
    (example,) = beat["examples"]

    _fits(beat["headers"], example["headers"])
    _fits(beat["payload"], example["payload"])
    with pytest.raises(jsonschema.ValidationError):
        _fits(beat["headers"], state["examples"][0]["headers"])


def test_headers_of_another_topic_do_not_fit() -> None:
    headers = DOCUMENT["components"]["messages"]["trial.started"]["examples"][0]["headers"]

    with pytest.raises(jsonschema.ValidationError):
        _fits(DOCUMENT["components"]["messages"]["trial.expired"]["headers"], headers)


def test_personal_values_are_marked_in_the_catalogue() -> None:
    assert DOCUMENT["components"]["schemas"]["customers.Contact"]["properties"]["email"]["x-personal"] is True


def test_one_name_never_stands_for_two_things() -> None:
    def told_of(kind: type) -> type[Record]:
        part = create_model("Reading", __base__=Part, value=(kind, ...))
        return create_model(f"Read{kind.__name__}", __base__=Fact, __module__="contracts.licensing.readings", reading=(part, ...))

    whole, broken = told_of(int), told_of(float)
    whole.topic, broken.topic = "reading.taken", "reading.estimated"
    whole.aggregate = broken.aggregate = "reading"

    assert set(asyncapi._schemas([whole])) == {"reading.taken", "licensing.Reading"}
    with pytest.raises(TwoMeanings, match=r"licensing\.Reading"):
        asyncapi._schemas([whole, broken])


def test_the_page_has_a_line_for_every_topic_that_is_told() -> None:
    lines = {line.split("`")[1]: line for line in events_page.page(SPECS).splitlines() if line.startswith("| `")}

    assert set(lines) == set(BY_TOPIC)
    assert "| licensing |" in lines["trial.started"]
    assert "| customer, else partner | for ever (billing) | 1 |" in lines["trial.started"]
    assert "| entity | the newest of each entity | 1 |" in lines["customer.changed"]
    assert all(line.count(" | ") == 5 for line in lines.values())


def _fits(schema: dict[str, Any], value: Any) -> None:
    """By the draft that AsyncAPI takes its schemas from, and by the one that the published schemas are written in."""
    whole = {"allOf": [schema], "components": DOCUMENT["components"]}
    for draft in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
        draft(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def _only(known: set[str], said: dict[str, Any]) -> None:
    assert {name for name in said if not name.startswith("x-")} == known


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _run(verb: str, tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "contracts.asyncapi", verb], cwd=tree, capture_output=True, text=True, check=False
    )
