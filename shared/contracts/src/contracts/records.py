"""Facts and states, the two kinds of record that services tell.

A fact says what happened, in the past tense, to its own topic. A state carries the whole
of one entity as it is now, to the entity's compacted topic. Telling is strict: an unknown
field is a defect of the teller. Reading is lenient: a newer teller may say more.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, GetJsonSchemaHandler, JsonValue, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class _PersonalMark:
    """Marks a value that says something about a person (see ``Personal``), in the published schema too."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"x-personal": True}

    def __repr__(self) -> str:
        return "Personal"


PERSONAL: Final = _PersonalMark()

_DEEPEST: Final = 64


def _portable(value: JsonValue, room: int = _DEEPEST) -> JsonValue:
    """Refuse what some reader cannot hold: NUL (PostgreSQL), NaN, infinity, lone surrogates, integers over 64 bits, great depth."""
    if room == 0:
        raise ValueError(f"nested more than {_DEEPEST} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a finite number")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer of more than 64 bits")
    for item in _items(value):
        _portable(item, room - 1)
    return value


def _check_text(text: str) -> None:
    text.encode()
    if "\0" in text:
        raise ValueError("a NUL character")


def _items(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return value if isinstance(value, list) else ()


JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_portable), WithJsonSchema({"type": "object"})]
"""An object whose shape somebody outside decides (an offer's form, say)."""

T = TypeVar("T")
Personal = Annotated[T, PERSONAL]
"""A value about a person: may stand in state topics and in topics kept at most 35 days, nowhere else."""


def schema_id(topic: str) -> str:
    """What the published schema of a topic's records is called, in every envelope too."""
    return f"urn:partnerdeck:schema:{topic}"


class Part(BaseModel):
    """A value inside a record."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True, ser_json_timedelta="iso8601")


class Record(Part):
    """Something told. ``topic`` is the CloudEvents type and the topic's name without prefix."""

    topic: ClassVar[str]
    aggregate: ClassVar[str]
    """The kind of entity it is about: ``customer``, ``subscription``, ..."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """Decode a record that somebody else told.

        Unknown fields are ignored.

        Raises:
            pydantic.ValidationError: the bytes are no such record.
        """
        record: Self = cls.__pydantic_validator__.validate_json(payload, extra="ignore")
        return record

    def payload(self) -> bytes:
        """The record as it goes over the wire: compact JSON in UTF-8."""
        return self.model_dump_json().encode()


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an entity in its state topic: a record without a body, after which nothing is kept of it."""

    topic: str
    aggregate: str


class Fact(Record):
    """What happened, in the past tense: ``TrialConverted`` for ``trial.converted``."""


class State[S: Part](Record):
    """How one entity is now, whole, and which facts brought it there."""

    facts: list[str]
    state: S

    @classmethod
    def ending(cls) -> Ending:
        """What is told when there is no such entity any more."""
        return Ending(cls.topic, cls.aggregate)
