"""What a request's validation found, as one problem with all errors at once.

A pointer that begins with ``/`` goes into the body (RFC 6901); ``query/limit`` and
``header/if-match`` name a parameter. Nothing the caller sent is repeated but names of members.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError

from chassis.errors import FieldError
from chassis.http.problems import MALFORMED, NOT_JSON, Problem

MOST_ERRORS: Final = 100
_LONGEST: Final = 300

_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_member",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_many",
    "too_short": "too_few",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "string_pattern_mismatch": "malformed",
    "string_unicode": "malformed",
    "union_tag_not_found": "missing",
    "union_tag_invalid": "not_allowed",
}


def invalid(found: RequestValidationError) -> Problem:
    """A body that is no JSON is 400, one of another media type 415, an id that is none 404, all else 422."""
    errors = found.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return MALFORMED
    if isinstance(found.body, bytes) and any(tuple(error["loc"]) == ("body",) for error in errors):
        return NOT_JSON
    if errors and all(error["loc"][:1] == ("path",) for error in errors):
        return _NO_SUCH_ID
    return Problem(
        status=422,
        code="invalid",
        title="The request is not valid.",
        remedy="Correct what errors names and send it again.",
        errors=field_errors(errors, found.body),
    )


def field_errors(errors: Sequence[Mapping[str, Any]], body: Any) -> list[FieldError]:
    """What pydantic found, as errors of fields; the ``loc`` of what is in the body begins with ``body``."""
    return [_field_error(error, body) for error in errors[:MOST_ERRORS]]


_NO_SUCH_ID: Final = Problem(status=404, code="not_found", title="There is nothing with this id.", remedy="Check the id; ids are UUIDs.")


def _field_error(error: Mapping[str, Any], body: Any) -> FieldError:
    place, *steps = error["loc"]
    pointer = json_pointer(steps, body) if place == "body" else "/".join(map(str, (place, *steps)))
    return FieldError(pointer=_tame(pointer), code=_code(error["type"]), detail=_tame(str(error["msg"])))


def json_pointer(steps: Sequence[int | str], body: Any) -> str:
    """The pointer to what is wrong. Steps that only name a member of a union are left out: they are not in the body."""
    pointer = ""
    here = body
    for number, step in enumerate(steps, start=1):
        there = _inside(here, step)
        if there is None and number < len(steps):
            continue
        if not isinstance(here, dict | list):
            break
        pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
        here = there
    return pointer


def _inside(here: Any, step: int | str) -> Any:
    if isinstance(here, dict):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def _code(kind: str) -> str:
    if kind in _CODES:
        return _CODES[kind]
    if kind.endswith("_type"):
        return "wrong_type"
    if "parsing" in kind:
        return "malformed"
    return "invalid" if kind in {"value_error", "assertion_error"} else kind


def _tame(text: str) -> str:
    """Bounded, and without lone surrogates, which no UTF-8 can carry."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()
