"""The event catalogue as AsyncAPI 3.0 (BEY-01): every topic that a record is told to, from the contracts and ``deploy/topics.yaml``.

The same code gives the same bytes. Two copies are committed and always equal: ``docs/events`` is for readers, the
one in this package is what the gateway serves. Payload schemas are the published ones (``contracts.schemas``), with
their parts moved to the document's components.

    python -m contracts.asyncapi write|check
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from contracts import attributes, beats, events_page, published, samples, schemas, topics
from contracts.catalogue import BY_TOPIC
from contracts.records import Record, State
from contracts.topics import TopicSpec

type Document = dict[str, Any]

_BINDING: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""
_LISTS: Final = frozenset({"cleanup.policy"})
_DESCRIPTION: Final = (
    "What the services of Partnerdeck tell each other and whoever else listens: CloudEvents 1.0 in Kafka's binary mode. "
    "Every record is told at least once, always under the same ce_id, and in the order of its entity's versions. "
    "A contract may gain optional fields and nothing else: readers ignore fields they do not know."
)


class TwoMeanings(ValueError):
    """Two contracts of one teller give different things the same name."""


def document(specs: Sequence[TopicSpec]) -> Document:
    """The AsyncAPI document of the topics that a record is told to; the others are named in ``x-reserved-topics``.

    Raises:
        TwoMeanings: a name would stand for two schemas.
        contracts.topics.UnknownTopic: a record's topic is not among ``specs``.
    """
    told = topics.pick(specs, list(BY_TOPIC))
    return {
        "asyncapi": "3.0.0",
        "id": "urn:partnerdeck:events",
        "info": {
            "title": "Partnerdeck events",
            "version": version("partnerdeck-contracts"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in told},
        "operations": {f"tell.{topic.name}": _operation(topic) for topic in told},
        "components": {
            "messages": {topic.name: _message(topic) for topic in told} | {beats.TYPE: _beat()},
            "schemas": {"CloudEvent": attributes.schema()} | _schemas(BY_TOPIC.values()),
        },
        "x-reserved-topics": sorted({topic.name for topic in specs} - set(BY_TOPIC)),
    }


def check(root: Path) -> list[str]:
    """Which committed files are not what the code says, in the tree at ``root``; empty when all are."""
    return [
        f"{file}: not what the code says: run python -m contracts.asyncapi write"
        for file, content in _files(root)
        if not file.exists() or file.read_text(encoding="utf-8") != content
    ]


def write(root: Path) -> None:
    for file, content in _files(root):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    specs = topics.load(root / topics.FILE)
    rendered = json.dumps(document(specs), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    yield root / "docs/events/asyncapi.json", rendered
    yield root / "shared/contracts/src/contracts" / published.FILE, rendered
    yield root / "docs/events/README.md", events_page.page(specs)


def _channel(topic: TopicSpec) -> Document:
    record = BY_TOPIC[topic.name]
    return {
        "address": topic.name,
        "title": events_page.title(record),
        "description": f"{events_page.summary(record)} Key: {events_page.key(topic)}. Kept: {events_page.kept(topic)}.",
        "messages": {name: _reference("components", "messages", name) for name in _said_in(topic)},
        "tags": [{"name": topic.teller}, *([{"name": "billing"}] if topic.billing else [])],
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {name: _setting(name, value) for name, value in topic.config.items()},
                "bindingVersion": _BINDING,
            }
        },
        "x-told-by": topic.teller,
        "x-kind": "state" if topic.state else "fact",
        "x-key": topic.key,
        "x-kept": events_page.kept(topic),
        "x-billing": topic.billing,
        **({"x-beat-seconds": beats.every(topic.name) // timedelta(seconds=1)} if topic.state else {}),
    }


def _said_in(topic: TopicSpec) -> tuple[str, ...]:
    """The messages of a topic, by name."""
    return (topic.name, beats.TYPE) if topic.state else (topic.name,)


def _operation(topic: TopicSpec) -> Document:
    return {
        "action": "send",
        "channel": _reference("channels", topic.name),
        "messages": [_reference("channels", topic.name, "messages", name) for name in _said_in(topic)],
        "summary": f"{topic.teller} tells {topic.name}.",
        "tags": [{"name": topic.teller}],
    }


def _message(topic: TopicSpec) -> Document:
    record = BY_TOPIC[topic.name]
    return {
        "name": topic.name,
        "title": events_page.title(record),
        "summary": events_page.summary(record),
        "contentType": "application/json",
        "headers": {
            "allOf": [_reference("components", "schemas", "CloudEvent")],
            "type": "object",
            "properties": {name: {"const": value} for name, value in attributes.constants(record).items()},
        },
        "payload": _reference("components", "schemas", topic.name),
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": f"The id of the {events_page.key(topic)}."},
                "bindingVersion": _BINDING,
            }
        },
        "examples": [{"name": "sample", **_example(record)}],
        "x-aggregate": record.aggregate,
        "x-tombstone": issubclass(record, State),
    }


def _beat() -> Document:
    """What every state topic carries beside its states."""
    example = {name: value.decode() for name, value in beats.encode(uuid5(NAMESPACE_URL, beats.TYPE), "/customers", samples.AT)}
    said = {name: schema for name, schema in attributes.schema()["properties"].items() if name in example}
    return {
        "name": beats.TYPE,
        "title": "Beat",
        "summary": "Says that all that was true at ce_time stands before it in its partition, and nothing else: skip it by its ce_type.",
        "contentType": "application/json",
        "headers": {"type": "object", "properties": said | {"ce_type": {"const": beats.TYPE}}, "required": sorted(said)},
        "payload": {"type": "object", "maxProperties": 0},
        "bindings": {"kafka": {"key": {"type": "string", "const": beats.KEY}, "bindingVersion": _BINDING}},
        "examples": [{"name": "sample", "headers": example, "payload": {}}],
    }


def _example(record: type[Record]) -> Document:
    first = schemas.sample_of(record)[0]
    return {"headers": first["headers"], "payload": first["data"]}


def _schemas(records: Iterable[type[Record]]) -> dict[str, Document]:
    """Every record by its topic, and their parts as ``<teller>.<Name>``."""
    found: dict[str, Document] = {}
    for record in records:
        whole = schemas.schema_of(record)
        for name in ("$schema", "$id"):
            del whole[name]
        parts = whole.pop("$defs", {})
        for name, schema in ({record.topic: whole} | {_part(record, name): part for name, part in parts.items()}).items():
            moved = _moved(schema, record)
            if found.setdefault(name, moved) != moved:
                raise TwoMeanings(f"{name} means something else in {record.topic} than elsewhere")
    return found


def _moved(node: Any, record: type[Record]) -> Any:
    """A schema whose references name the document's components."""
    if isinstance(node, list):
        return [_moved(item, record) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return node | _reference("components", "schemas", _part(record, node["$ref"].removeprefix("#/$defs/")))
    return {key: _moved(value, record) for key, value in node.items()}


def _part(record: type[Record], name: str) -> str:
    return f"{attributes.teller(record)}.{name}"


def _setting(name: str, value: str) -> Any:
    return value.split(",") if name in _LISTS else int(value)


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def main() -> int:
    """0 when code and tree agree, 1 with the stale files on standard error otherwise."""
    parser = argparse.ArgumentParser(prog="python -m contracts.asyncapi", description="Write or check the event catalogue.")
    parser.add_argument("verb", choices=("write", "check"))
    asked = parser.parse_args()
    root = topics.find().parents[1]
    if asked.verb == "write":
        write(root)
    problems = check(root)
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
