"""Bodies of requests: strict, closed, frozen.

Strict as JSON is: a number is no text and a text no number. Ids, times and enumerations have
no type of their own in JSON, so a text may become one, and only a text.
"""

from enum import Enum
from typing import Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema
from pydantic_core.core_schema import CoreSchema

_TEXTUAL: Final = frozenset({"uuid", "datetime", "date", "time", "timedelta", "enum", "decimal"})
_NO_SCHEMAS: Final = frozenset({"metadata", "default", "serialization", "members", "ref"})


class Body(BaseModel):
    """What a request's body must look like, and the models inside it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /) -> CoreSchema:
        return cast("CoreSchema", _lenient_for_texts(handler(source)))


def _lenient_for_texts(schema: Any) -> Any:
    """The schema in which every type that JSON writes as a text takes a text (FastAPI validates decoded JSON, not bytes)."""
    if isinstance(schema, list):
        return [_lenient_for_texts(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "function-before" and schema["function"].get("function") is _text_only:
        return schema
    if schema.get("type") in _TEXTUAL:
        return core_schema.no_info_before_validator_function(_text_only, cast("CoreSchema", {**schema, "strict": False}))
    return {name: one if name in _NO_SCHEMAS else _lenient_for_texts(one) for name, one in schema.items()}


def _text_only(value: Any) -> Any:
    if isinstance(value, bool | int | float | bytes) and not isinstance(value, Enum):
        raise PydanticCustomError("wrong_type", "Input should be a string")
    return value
