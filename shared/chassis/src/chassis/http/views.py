"""Views: what is answered, one class each, from which both the bytes and their description are made.

A view is a msgspec Struct, so its bytes are made fast; as a ``response_model`` it describes
itself by a pydantic model of its name, docstring and members. What a column keeps as JSON
goes out as it is kept.
"""

from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Protocol, Self, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema
from sqlalchemy import ColumnElement, FromClause, Text, cast
from sqlalchemy.dialects.postgresql import JSONB

type Stored[T] = Annotated[msgspec.Raw, T]
"""JSON of a ``T`` that is sent as it is kept."""

type Withheld[T] = T | msgspec.UnsetType
"""A partner's own affair, by default UNSET: left out where a customer's user asks, whose relation has no such column."""


class Keyed(Protocol):
    """A row whose columns are found by name: asyncpg's records, SQLAlchemy's mappings, dicts."""

    def __getitem__(self, name: str, /) -> Any: ...

    def __contains__(self, name: str, /) -> bool: ...


class View(msgspec.Struct, frozen=True):
    """Something as it is answered. Its members are named as the columns that they come from."""

    @classmethod
    def columns(cls, relation: FromClause) -> list[ColumnElement[Any]]:
        """The members' columns, as far as the relation has them; JSON as its text."""
        columns = (relation.c[name] for name in cls.__struct_fields__ if name in relation.c)
        return [cast(one, Text).label(one.name) if isinstance(one.type, JSONB) else one for one in columns]

    @classmethod
    def of(cls, row: Keyed, **made: Any) -> Self:
        """A row that was read by ``columns``. ``made`` are the members that are not sent as they were read."""
        members = _members(cls, *made)
        values = {name: row[name] for name in members.plain}
        for name in members.withheld:
            if name in row and name not in made:
                values[name] = row[name]
        for name in members.stored:
            if (kept := values.get(name)) is not None:
                values[name] = msgspec.Raw(kept.encode())
        return cls(**values, **made)

    @classmethod
    def of_entity(cls, entity: object, **made: Any) -> Self:
        """An entity that was just changed, as ``of`` answers its row."""
        members = _members(cls, *made)
        values = {name: getattr(entity, name) for name in (*members.plain, *members.withheld)}
        for name in members.stored:
            if (kept := values[name]) is not None:
                values[name] = msgspec.Raw(msgspec.json.encode(kept))
        return cls(**values, **made)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(_described(source))


@dataclass(frozen=True, slots=True)
class _Members:
    """Names of a view's members: those always sent, those withheld from some, and which of both are stored."""

    plain: tuple[str, ...]
    withheld: tuple[str, ...]
    stored: tuple[str, ...]


@cache
def _members(view: type[View], *made: str) -> _Members:
    """All but those that are ``made``."""
    types = {one.name: one.type for one in msgspec.structs.fields(view) if one.name not in made}
    withheld = tuple(name for name, kind in types.items() if get_origin(kind) is Withheld)
    return _Members(
        plain=tuple(name for name in types if name not in withheld),
        withheld=withheld,
        stored=tuple(name for name, kind in types.items() if any(get_origin(one) is Stored for one in _parts(kind))),
    )


@cache
def _described(view: Any) -> type[BaseModel]:
    """The model of a view, or of a generic one with its arguments."""
    plain = get_origin(view) or view
    arguments = ", ".join(getattr(one, "__name__", str(one)) for one in get_args(view))
    members: dict[str, Any] = {one.name: (_sent(one.type), _default(one)) for one in msgspec.structs.fields(view)}
    name = f"{plain.__name__}[{arguments}]" if arguments else plain.__name__
    return create_model(name, __doc__=plain.__doc__, __module__=plain.__module__, **members)


def _default(member: msgspec.structs.FieldInfo) -> Any:
    """All is sent, so all is required, but what may be withheld."""
    return Field(default_factory=lambda: None) if member.default is msgspec.UNSET else ...


def _sent(annotation: Any) -> Any:
    """What is sent of a member, to whom nothing is withheld."""
    parts = [get_args(one)[0] if get_origin(one) is Stored else one for one in _parts(annotation)]
    return reduce(or_, parts) if len(parts) > 1 else parts[0]


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation."""
    origin = get_origin(annotation)
    if origin is Withheld:
        return _parts(get_args(annotation)[0])
    return get_args(annotation) if origin in {Union, UnionType} else (annotation,)
