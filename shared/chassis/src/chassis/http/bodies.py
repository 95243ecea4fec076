"""Bodies of requests: strict, closed, frozen.

Strict as JSON is: a number is no text and a text no number. Ids, times and enumerations have
no type of their own in JSON, so a text may become one, and only a text.
"""

from enum import Enum
from typing import Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema
from pydantic_core.core_schema import CoreSchema

_TEXTUAL: Final = frozenset({"uuid", "datetime", "date", "time", "timedelta", "enum", "decimal"})
_WHOLE: Final = frozenset({"model", "dataclass", "typed-dict", "named-tuple"})
_NO_SCHEMAS: Final = frozenset({"metadata", "default", "serialization", "members", "ref"})


class _Lenience:
    """Rewrites a strict schema so that every type which JSON writes as a text takes a text.

    FastAPI validates decoded JSON, not its bytes, and strict validation of decoded JSON would
    want an id that is a ``UUID`` already.
    """

    def __init__(self, handler: GetCoreSchemaHandler) -> None:
        self._handler = handler
        self._inside = set[str]()

    def apply(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.apply(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        if schema.get("type") == "definition-ref":
            return self._referred(schema)
        if schema.get("type") == "function-before" and schema["function"].get("function") is _text_only:
            return schema
        kind = schema.get("type")  # among fields it may be the one that is called so
        if isinstance(kind, str) and kind in _TEXTUAL:
            lenient = {name: one for name, one in schema.items() if name != "ref"} | {"strict": False}
            return core_schema.no_info_before_validator_function(_text_only, cast("CoreSchema", lenient))
        return {name: one if name in _NO_SCHEMAS else self.apply(one) for name, one in schema.items()}

    def _referred(self, schema: dict[str, Any]) -> Any:
        """An enumeration or alias that is used twice stands elsewhere; models there look after themselves."""
        ref = schema["schema_ref"]
        meant = cast("dict[str, Any]", self._handler.resolve_ref_schema(cast("CoreSchema", schema)))
        if meant["type"] in _WHOLE or ref in self._inside:
            return schema
        self._inside.add(ref)
        try:
            return self.apply({name: one for name, one in meant.items() if name != "ref"})
        finally:
            self._inside.discard(ref)


def _text_only(value: Any) -> Any:
    if isinstance(value, bool | int | float | bytes) and not isinstance(value, Enum):
        raise PydanticCustomError("wrong_type", "Input should be a string")
    return value


class Body(BaseModel):
    """What a request's body must look like, and the models inside it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /) -> CoreSchema:
        return cast("CoreSchema", _Lenience(handler).apply(handler(source)))


def left_out() -> Any:
    """The default of a member that stays as it is; who names it must give it a value."""
    return Field(default_factory=lambda: None)
