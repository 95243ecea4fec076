"""Refusals: the answers of a service that will not do what it was asked.

A refusal is an answer, not a failure: it says what is the matter, by which rule, and what to
do instead. ``chassis.http.problems`` alone turns one into a status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import JsonValue


class Kind(StrEnum):
    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TOO_SLOW = "too_slow"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    INVALID = "invalid"
    UNCONDITIONAL = "unconditional"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; ``pointer`` is a JSON pointer into the body (RFC 6901).

    ``rule`` and ``remedy`` are said where they are this field's own, so that several in one problem keep theirs.
    """

    pointer: str
    code: str
    detail: str
    rule: str | None = None
    remedy: str | None = None


class Refusal(Exception):
    """Refused.

    The first line of a subclass's docstring is the problem's title. ``code`` is stable: clients
    may rely on it. ``facts`` are further members of the problem (RFC 9457, 3.2).
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    remedy: str
    rule: str | None = None
    policy_version: str | None = None

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        rule: str | None = None,
        policy_version: str | None = None,
        remedy: str | None = None,
        **facts: JsonValue,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.rule = rule or type(self).rule
        self.policy_version = policy_version or type(self).policy_version
        self.remedy = remedy or type(self).remedy
        self.facts = facts

    @classmethod
    def at(cls, pointer: str, detail: str = "") -> FieldError:
        """What is wrong with one field, said as this refusal says it."""
        return FieldError(pointer, cls.code, detail or _title(cls), rule=cls.rule, remedy=cls.remedy)

    @property
    def title(self) -> str:
        return _title(type(self))


def _title(refusal: type[Refusal]) -> str:
    return (refusal.__doc__ or refusal.__name__).strip().splitlines()[0]
