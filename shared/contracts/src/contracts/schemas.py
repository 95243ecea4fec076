"""Published contracts: a JSON Schema (2020-12) and golden samples of every record, committed beside the code.

What is committed is what others were promised. ``write`` refuses to replace it by anything that
the gate calls a break, and never touches a golden sample: a record that has grown gets further
ones, so that every version that was ever told stays readable.

    python -m contracts.schemas write|check [FOLDER]
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from contracts import samples
from contracts.catalogue import BY_TOPIC
from contracts.envelope import BadEnvelope, decode, encode
from contracts.gate import Schema, breaking
from contracts.records import Fact, Record, schema_id

FOLDER: Final = Path(__file__).parents[2]
"""Holds ``schemas/<topic>.json`` and ``golden/<topic>/<n>.json``."""


class _Generator(GenerateJsonSchema):
    """Without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic calls it so
        return False


def schema_of(record: type[Record]) -> Schema:
    """The schema of what travels: open, because a newer teller may say more."""
    schema: Schema = _open(record.model_json_schema(mode="serialization", schema_generator=_Generator))
    return schema | {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": schema_id(record.topic),
        "x-kind": "fact" if issubclass(record, Fact) else "state",
        "x-aggregate": record.aggregate,
    }


def personal_fields(schema: Schema) -> list[str]:
    """Where a schema holds ``Personal`` values, as paths."""
    return [path.removesuffix("/x-personal") for path, value in _walk(schema, "") if path.endswith("/x-personal") and value is True]


def sample_of(record: type[Record]) -> list[dict[str, Any]]:
    """The samples of a record as they are committed: headers and data."""
    return [
        {
            "headers": {name: value.decode() for name, value in encode(samples.envelope(record, number))},
            "data": json.loads(sample.payload()),
        }
        for number, sample in enumerate(samples.records(record))
    ]


def check(folder: Path = FOLDER) -> list[str]:
    """What is wrong between the code and what is committed in ``folder``; empty when they agree."""
    return [*_refused(folder), *_stale(folder), *_unreadable(folder)]


def write(folder: Path = FOLDER) -> list[str]:
    """Commit what the code says, unless it breaks what was published; then nothing is written and the reasons are answered."""
    if problems := [*_refused(folder), *_unreadable(folder)]:
        return problems
    for topic, record in BY_TOPIC.items():
        _write(_schema_file(folder, topic), schema_of(record))
        known = _golden(folder, topic)
        missing = [sample for sample in sample_of(record) if sample not in known.values()]
        for number, sample in enumerate(missing, start=len(known) + 1):
            _write(folder / "golden" / topic / f"{number}.json", sample)
    return []


def _refused(folder: Path) -> Iterator[str]:
    for file in sorted((folder / "schemas").glob("*.json")):
        if file.stem not in BY_TOPIC:
            yield f"{file.stem}: was published and no record tells it any more; delete {file} once its last reader has moved"
            continue
        for one in breaking(json.loads(file.read_text(encoding="utf-8")), schema_of(BY_TOPIC[file.stem])):
            yield f"{file.stem}: {one}; a published contract may only gain optional fields: tell {file.stem}.v2 beside it"


def _stale(folder: Path) -> Iterator[str]:
    for topic, record in BY_TOPIC.items():
        file = _schema_file(folder, topic)
        if not file.exists() or file.read_text(encoding="utf-8") != _rendered(schema_of(record)):
            yield f"{topic}: its schema is not what the code says: run python -m contracts.schemas write"
        known = _golden(folder, topic)
        if any(sample not in known.values() for sample in sample_of(record)):
            yield f"{topic}: a golden sample is missing: run python -m contracts.schemas write"
        if sorted(known) != list(range(1, len(known) + 1)):
            yield f"{topic}: golden samples are numbered {sorted(known)}: one that was published is gone"


def _unreadable(folder: Path) -> Iterator[str]:
    for file in sorted((folder / "golden").glob("*/*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        record = BY_TOPIC.get(file.parent.name)
        if record is None:
            yield f"{file}: no record tells this topic any more"
            continue
        try:
            decode([(name, value.encode()) for name, value in told["headers"].items()])
            record.read(json.dumps(told["data"]).encode())
        except (BadEnvelope, ValidationError) as error:
            yield f"{file}: today's code cannot read it: {error}"


def _golden(folder: Path, topic: str) -> dict[int, dict[str, Any]]:
    files = (folder / "golden" / topic).glob("*.json")
    return {int(file.stem): json.loads(file.read_text(encoding="utf-8")) for file in files}


def _schema_file(folder: Path, topic: str) -> Path:
    return folder / "schemas" / f"{topic}.json"


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_rendered(content), encoding="utf-8")


def _rendered(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _open(node: Any) -> Any:
    if isinstance(node, list):
        return [_open(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _open(value) for key, value in node.items() if not (key == "additionalProperties" and value is False)}


def _walk(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield f"{path}/{key}", value
        yield from _walk(value, f"{path}/{key}")


def main() -> int:
    """0 when code and folder agree, 1 with the reasons on standard error otherwise."""
    parser = argparse.ArgumentParser(prog="python -m contracts.schemas", description="Write or check the published contracts.")
    parser.add_argument("verb", choices=("write", "check"))
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    asked = parser.parse_args()
    problems = write(asked.folder) if asked.verb == "write" else check(asked.folder)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
