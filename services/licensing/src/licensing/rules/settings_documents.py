"""Settings documents: a product's settings as somebody writes them down, bounded, and without anything secret.

What is in them the product decides; everything that is wrong with one is named at once, each with its place. They travel in
events, and no secret does: a text under a name that says it is one is refused.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from pydantic import AfterValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from contracts.records import JsonObject

LARGEST: Final = 32 * 1024
"""Bytes of JSON."""
DEEPEST: Final = 8
LONGEST_NAME: Final = 100
_SECRET: Final = re.compile(r"(^|[^a-z])(password|passphrase|secret|token|api_?key|private_?key|credentials?)$", re.IGNORECASE)


def _bounded(settings: dict[str, Any]) -> dict[str, Any]:
    wrong = [*_objections(settings, ())]
    if len(msgspec.json.encode(settings)) > LARGEST:
        wrong.append(_wrong("too_large", "At most {most} bytes of JSON", (), {"most": LARGEST}))
    if wrong:
        raise ValidationError.from_exception_data("settings", wrong, hide_input=True)
    return settings


def _objections(value: Any, place: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    if not isinstance(value, dict | list):
        return
    if len(place) >= DEEPEST:
        yield _wrong("too_deep", "At most {most} deep", place, {"most": DEEPEST})
        return
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        here = (*place, name)
        if isinstance(name, str):
            yield from _of_name(name, member, here)
        yield from _objections(member, here)


def _of_name(name: str, member: Any, here: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    if not 0 < len(name) <= LONGEST_NAME:
        yield _wrong("bad_name", "Names have 1 to {most} characters", here, {"most": LONGEST_NAME})
    elif isinstance(member, str) and _SECRET.search(name):
        yield _wrong("secret", "Settings hold no secrets", here, {})


def _wrong(code: Any, says: Any, place: tuple[str | int, ...], facts: dict[str, Any]) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(code, says, facts), loc=place, input=None)


type SettingsDocument = Annotated[JsonObject, AfterValidator(_bounded)]
