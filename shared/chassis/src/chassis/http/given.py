"""Given: what a route's function is given, read from a request that is as it should be.

The framework looks at the description of each parameter again for each request, which costs a
small read a tenth of its time. Here they are looked at once. Where a value is not as it should
be, or a function wants what is not known here (a body, say), nothing is given, and the
framework, which has the last word, goes its own way and says what is wrong.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Self, TypeAliasType, Union, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request
from fastapi.params import Depends, Query
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

type Values = dict[str, Any]
type Made = Callable[[Request], Awaitable[Any]]

_SINGLE: Final = (str, int, float, Decimal, date, UUID, Enum, NoneType)
"""What is one text in a query; a datetime is a date, a bool an int."""


class Asked:
    """A model of what follows the question mark."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self._single = {name for name, one in model.model_fields.items() if one.alias is None and _single(one.annotation)}
        self._nothing = self._valid({})

    def read(self, query: bytes) -> BaseModel | None:
        """What was asked; None where the framework must say."""
        if not query:
            return self._nothing
        said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        values = dict(said)
        return self._valid(values) if len(values) == len(said) and values.keys() <= self._single else None

    def _valid(self, values: Values) -> BaseModel | None:
        try:
            return self._model.model_validate(values)
        except ValidationError:
            return None


class Given:
    """The parameters of one function."""

    def __init__(self, function: Callable[..., Awaitable[Response]]) -> None:
        self._function = function
        self._path: dict[str, Callable[[Any], Any]] = {}
        self._asked: dict[str, Asked] = {}
        self._made: dict[str, Made] = {}

    @classmethod
    def of(cls, function: Callable[..., Any], path: frozenset[str]) -> Self | None:
        """What a function wants, of whose path these are the placeholders; None where only the framework can give it."""
        signature = inspect.signature(function, eval_str=True)
        if not inspect.iscoroutinefunction(function) or signature.return_annotation is not Response:
            return None
        given = cls(function)
        known = [given._knows(name, one.annotation, path) for name, one in signature.parameters.items()]
        return given if all(known) else None

    def read(self, path: Mapping[str, str], query: bytes) -> Values | None:
        """What the request itself gives; None where the framework must say."""
        values: Values = {}
        try:
            for name, read in self._path.items():
                values[name] = read(path[name])
        except ValidationError:
            return None
        for name, asked in self._asked.items():
            if (found := asked.read(query)) is None:
                return None
            values[name] = found
        return values

    async def answer(self, values: Values, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the function answer, which is given what was read and what depends on the whole request."""
        request = Request(scope, receive, send)
        for name, make in self._made.items():
            values[name] = await make(request)
        response = await self._function(**values)
        await response(scope, receive, send)

    def _knows(self, name: str, annotation: Any, path: frozenset[str]) -> bool:
        plain, *marks = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
        if name in path:
            self._path[name] = TypeAdapter(annotation).validator.validate_python
        elif len(marks) != 1:
            return False
        elif type(marks[0]) is Query and isinstance(plain, type) and issubclass(plain, BaseModel):
            self._asked[name] = Asked(plain)
        elif (made := _made(marks[0])) is not None:
            self._made[name] = made
        else:
            return False
        return True


def _made(mark: Any) -> Made | None:
    """What a parameter depends on, if that wants the request alone."""
    made = mark.dependency if isinstance(mark, Depends) else None
    if made is None or not inspect.iscoroutinefunction(made):
        return None
    wanted = [one.annotation for one in inspect.signature(made, eval_str=True).parameters.values()]
    return made if wanted == [Request] and mark == Depends(made) else None


def _single(annotation: Any) -> bool:
    """Whether what is meant stands in a query once."""
    if isinstance(annotation, TypeAliasType):
        return _single(annotation.__value__)
    match get_origin(annotation):
        case None:
            return isinstance(annotation, type) and issubclass(annotation, _SINGLE)
        case origin if origin is Annotated:
            return _single(get_args(annotation)[0])
        case origin if origin in {Union, UnionType}:
            return all(map(_single, get_args(annotation)))
        case origin:
            return origin is Literal
