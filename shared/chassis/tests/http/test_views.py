"""A view is one class: what it sends is what its description says, whatever it is made from."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from fastapi import APIRouter
from msgspec import UNSET
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.health import Health
from chassis.http import app
from chassis.http.lists import Listing
from chassis.http.views import Stored, View, Withheld

type Colour = Literal["red", "blue"]


class Door(BaseModel):
    """A door, as it is kept."""

    wide: bool


class RoomView(View, frozen=True, kw_only=True):
    size: Decimal


class HouseView(View, frozen=True, kw_only=True):
    """A house."""

    id: UUID
    colour: Colour
    built_at: datetime | None
    door: Stored[Door] | None
    rooms: list[RoomView]
    price: Withheld[int] = UNSET
    notes: Withheld[Stored[list[str]]] = UNSET


@dataclass
class House:
    id: UUID
    colour: str
    built_at: datetime | None
    door: dict[str, Any] | None
    price: int
    notes: list[str]


BUILT = datetime(2026, 1, 5, 9, 0, 0, 250_000, tzinfo=UTC)
ROW = {"id": UUID(int=1), "colour": "red", "built_at": BUILT, "door": '{"wide": true}', "price": 7, "notes": "[]", "name_key": "a"}
ROOMS = [RoomView(size=Decimal("12.50"))]


def document() -> dict[str, Any]:
    router = APIRouter()

    @router.get("/houses", response_model=Listing[HouseView])
    async def list_houses() -> None: ...

    schemas: dict[str, Any] = app.build(title="houses", routers=[router], health=Health([])).openapi()["components"]["schemas"]
    return schemas


def test_a_view_is_described_under_its_own_name() -> None:
    schemas = document()

    house = schemas["HouseView"]
    assert schemas["Listing_HouseView_"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/HouseView"}
    assert house["description"] == "A house."
    assert house["properties"]["id"]["format"] == "uuid"
    assert house["properties"]["built_at"]["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "null"}]
    assert house["properties"]["door"]["anyOf"] == [{"$ref": "#/components/schemas/Door"}, {"type": "null"}]
    assert house["properties"]["rooms"]["items"] == {"$ref": "#/components/schemas/RoomView"}
    assert schemas["RoomView"]["properties"]["size"]["type"] == "string"


def test_only_what_may_be_withheld_may_be_missing() -> None:
    house = document()["HouseView"]

    assert house["required"] == ["id", "colour", "built_at", "door", "rooms"]
    assert house["properties"]["price"] == {"type": "integer", "title": "Price"}


def test_a_row_and_an_entity_are_answered_alike_and_as_described() -> None:
    entity = House(id=UUID(int=1), colour="red", built_at=BUILT, door={"wide": True}, price=7, notes=[])

    of_row = msgspec.json.encode(HouseView.of(ROW, rooms=ROOMS))
    of_entity = msgspec.json.encode(HouseView.of_entity(entity, rooms=ROOMS))

    described = TypeAdapter(HouseView)
    assert msgspec.json.decode(of_row) == msgspec.json.decode(of_entity) == msgspec.json.decode(described.dump_json(read(of_row)))


def test_what_is_null_in_a_row_is_null_in_the_answer() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(HouseView.of(ROW | {"door": None}, rooms=[])))

    assert sent["door"] is None


def test_what_is_withheld_is_not_in_the_answer_at_all() -> None:
    kept = {name: value for name, value in ROW.items() if name not in {"price", "notes"}}

    sent = msgspec.json.decode(msgspec.json.encode(HouseView.of(kept, rooms=[])))

    assert "price" not in sent
    assert "notes" not in sent


def test_a_row_without_a_member_that_is_never_withheld_is_a_defect() -> None:
    with pytest.raises(KeyError):
        HouseView.of({name: value for name, value in ROW.items() if name != "colour"}, rooms=[])


def test_only_the_members_columns_are_read_and_json_as_its_text() -> None:
    houses = Table("houses", MetaData(), Column("id", Text), Column("door", JSONB), Column("name_key", Text))

    columns = HouseView.columns(houses)

    assert [str(one) for one in columns] == ["houses.id", "CAST(houses.door AS TEXT)"]
    assert [one.key for one in columns] == ["id", "door"]


def read(sent: bytes) -> Any:
    return TypeAdapter(HouseView).validate_json(sent)
