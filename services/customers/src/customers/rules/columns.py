"""Columns of an answer: what is stored as JSON is read as its text and goes out as it is."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, FromClause, Text, cast
from sqlalchemy.dialects.postgresql import JSONB


def chosen(relation: FromClause, names: Iterable[str]) -> list[ColumnElement[Any]]:
    """The columns of these names, JSON as text."""
    columns = (relation.c[name] for name in names)
    return [cast(one, Text).label(one.name) if isinstance(one.type, JSONB) else one for one in columns]


def raw(text: str) -> msgspec.Raw:
    """JSON that is put into an answer without being parsed."""
    return msgspec.Raw(text.encode())
