"""A body is as strict as JSON is, at any depth, and can still be made in Python."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from chassis.http.bodies import Body

ID = UUID("0190b0a0-0000-7000-8000-000000000001")


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


type Ids = list[UUID]


class Room(Body):
    id: UUID
    size: Size | None = None


class Flat(Body):
    kind: Literal["flat"]
    floor: int


class Shed(Body):
    kind: Literal["shed"]
    built: date


class House(Body):
    rooms: list[Room] = Field(default_factory=list)
    home: Annotated[Flat | Shed, Field(discriminator="kind")] | None = None
    price: Decimal = Decimal(0)
    since: datetime | None = None
    owners: dict[UUID, int] = Field(default_factory=dict)
    size: Size = Size.SMALL
    ids: Ids | None = None
    more: Ids | None = None


def test_texts_become_ids_times_numbers_of_money_and_enumerations_at_any_depth() -> None:
    body = {
        "rooms": [{"id": str(ID), "size": "small"}],
        "home": {"kind": "shed", "built": "2026-01-05"},
        "price": "12.50",
        "since": "2026-01-05T09:00:00Z",
        "owners": {str(ID): 1},
        "size": "large",
        "ids": [str(ID)],
        "more": [str(ID)],
    }

    house = TypeAdapter(House).validate_python(body)

    assert house.rooms == [Room(id=ID, size=Size.SMALL)]
    assert house.home == Shed(kind="shed", built=date(2026, 1, 5))
    assert (house.price, house.since, house.owners) == (Decimal("12.50"), datetime(2026, 1, 5, 9, tzinfo=UTC), {ID: 1})
    assert (house.size, house.ids, house.more) == (Size.LARGE, [ID], [ID])


@pytest.mark.parametrize(
    "body",
    [
        {"rooms": [{"id": 5}]},
        {"rooms": [{"id": str(ID), "size": 0}]},
        {"rooms": [{"id": str(ID), "colour": "red"}]},
        {"home": {"kind": "flat", "floor": "3"}},
        {"home": {"kind": "shed", "built": 20000}},
        {"price": 12.5},
        {"price": "NaN"},
        {"since": 1767600000},
        {"since": True},
        {"owners": {str(ID): True}},
        {"size": "huge"},
        {"ids": [7]},
        {"more": str(ID)},
    ],
)
def test_nothing_else_becomes_one(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(House).validate_python(body)


def test_the_document_still_knows_the_formats() -> None:
    schema = House.model_json_schema()

    assert schema["$defs"]["Room"]["properties"]["id"]["format"] == "uuid"
    assert schema["$defs"]["Shed"]["properties"]["built"]["format"] == "date"
    assert schema["additionalProperties"] is False
