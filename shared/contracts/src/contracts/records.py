"""Facts and states, the two kinds of record that services tell.

A fact says what happened, in the past tense, to its own topic. A state carries the whole
of one entity as it is now, to the entity's compacted topic. Telling is strict: an unknown
field is a defect of the teller. Reading is lenient: a newer teller may say more.
"""

from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict


class _PersonalMark:
    """Marks a field that says something about a person (see ``Personal``)."""

    def __repr__(self) -> str:
        return "Personal"


PERSONAL: Final = _PersonalMark()

T = TypeVar("T")
Personal = Annotated[T, PERSONAL]
"""A value about a person: may stand in state topics and in topics kept at most 35 days, nowhere else."""


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
        return cls.model_validate_json(payload, extra="ignore")

    def payload(self) -> bytes:
        """The record as it goes over the wire: compact JSON in UTF-8."""
        return self.model_dump_json().encode()


class Fact(Record):
    """What happened, in the past tense: ``TrialConverted`` for ``trial.converted``."""


class State[S: Part](Record):
    """How one entity is now, whole, and which facts brought it there."""

    facts: list[str]
    state: S


def is_personal(metadata: list[Any]) -> bool:
    """Whether a pydantic field's metadata marks it as ``Personal``."""
    return any(mark is PERSONAL for mark in metadata)
