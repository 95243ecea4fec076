"""Nouns of a bundle: one file of JSON Lines each, every line of a shape that is checked, kept in one table.

Rows keep their ids and say nothing of whose they are: that is the customer's, and its partner is
where it is imported.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, Table, insert, inspect, select
from sqlalchemy.dialects.postgresql import JSONB

from chassis.bundles.errors import BundleTaken
from chassis.database.transaction import Transaction
from chassis.errors import FieldError
from contracts.records import Part

_ACROSS: Final = {"across_partners": "an id is one customer's in the whole installation"}


def _all(_columns: Any) -> Sequence[ColumnElement[bool]]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """A file of a bundle, the table that its lines are kept in, and the column there that names the customer.

    ``only`` are conditions on what may leave. ``constant`` columns are the same in every row, ``derived``
    are made of the row. What has no table is evidence, and is not imported.
    """

    file: str
    row: type[Part]
    table: Any
    customer: str = "customer_id"
    order: tuple[str, ...] = ("id",)
    only: Callable[[Any], Sequence[ColumnElement[bool]]] = _all
    constant: dict[str, Any] = field(default_factory=dict, hash=False)
    derived: Callable[[Any], Mapping[str, Any]] = field(default=lambda _row: {}, hash=False)

    @property
    def columns(self) -> Any:
        """Of its table, by the names that they have in a mapped class."""
        return inspect(self.table).columns

    @property
    def relation(self) -> Table:
        relation: Table = self.table if isinstance(self.table, Table) else inspect(self.table).local_table
        return relation


def lines(rows: Iterable[Part]) -> bytes:
    """Rows as JSON Lines: the same rows are the same bytes."""
    return b"".join(msgspec.json.encode(row.model_dump(mode="json"), order="sorted") + b"\n" for row in rows)


async def rows_of(tx: Transaction, noun: Noun, customer_id: UUID) -> list[Part]:
    """What is kept of a customer of the transaction's partner, and may leave."""
    kept = noun.columns
    mine = select(*(kept[name].label(name) for name in noun.row.model_fields))
    mine = mine.where(kept["partner_id"] == tx.partner_id, kept[noun.customer] == customer_id, *noun.only(kept)).order_by(
        *(kept[name] for name in noun.order)
    )
    return [noun.row.model_validate(dict(one)) for one in (await tx.session.execute(mine)).mappings()]


async def put(tx: Transaction, noun: Noun, rows: Sequence[Part], **more: Any) -> None:
    """Keep rows as they were, versions too, which is why the session does not write them; ``more`` are columns that they do not say."""
    if rows:
        owner = {"partner_id": tx.partner_id}
        values = [_values(noun, row) | noun.constant | dict(noun.derived(row)) | more | owner for row in rows]
        await tx.session.execute(insert(noun.relation).values(values))


async def taken(tx: Transaction, noun: Noun, rows: Sequence[Part]) -> AsyncIterator[FieldError]:
    """Which ids are here already, with whichever partner."""
    if "id" not in noun.row.model_fields:
        return
    kept, ids = noun.columns, {cast("Any", row).id: number for number, row in enumerate(rows)}
    found = await tx.session.scalars(select(kept["id"]).where(kept["id"].in_(ids)), execution_options=_ACROSS)
    for one in sorted(set(found)):
        yield BundleTaken.at(f"/{noun.file}/{ids[one]}/id", "this id is taken")


def refused(errors: Sequence[FieldError]) -> BundleTaken:
    """The refusal that says all that is taken."""
    return BundleTaken("; ".join(f"{one.pointer}: {one.detail}" for one in errors), errors=errors)


def _values(noun: Noun, row: Part) -> dict[str, Any]:
    columns, document = noun.columns, row.model_dump(mode="json")

    def value(name: str) -> Any:
        match columns[name].type:
            case JSONB():
                return document[name]
            case LargeBinary():
                return bytes.fromhex(document[name])
            case _:
                return getattr(row, name)

    return {name: value(name) for name in document}
