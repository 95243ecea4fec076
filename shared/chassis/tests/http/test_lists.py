"""Pages follow each other without a gap and without a repetition, in every order that a list offers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, create_engine, insert, select

from chassis.http.cursors import BadCursor
from chassis.http.lists import Listing, Sorts, UnknownSort

HOUSES = Table("houses", MetaData(), Column("id", Uuid, primary_key=True), Column("name_key", Text), Column("rooms", Integer))
SORTS = Sorts({"name": ("name_key", str), "rooms": ("rooms", int)}, default="name", last=("id", UUID))
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=20),
    st.sampled_from([None, "name", "-name", "-rooms,name", "rooms,-name"]),
    st.integers(1, 5),
)
def test_following_the_cursor_shows_every_row_once_in_order(houses: list[tuple[str, int]], text: str | None, limit: int) -> None:
    sort = SORTS.read(text)
    engine = create_engine("sqlite://")
    HOUSES.metadata.create_all(engine)
    with engine.connect() as connection:
        rows = [{"id": UUID(int=number), "name_key": name, "rooms": rooms} for number, (name, rooms) in enumerate(houses)]
        if rows:
            connection.execute(insert(HOUSES), rows)
        every = list(connection.execute(select(HOUSES).order_by(*sort.order(HOUSES))).mappings())
        seen = list[Any]()
        cursor: str | None = None
        while True:
            query = select(HOUSES).order_by(*sort.order(HOUSES)).limit(limit + 1)
            after = sort.read(cursor)
            found = connection.execute(query.where(sort.after(HOUSES)) if after else query, after).mappings().all()
            page = Listing.cut(found, dict, sort=sort, limit=limit, as_of=NOW)
            seen += page.items
            assert len(seen) <= len(every)
            if (cursor := page.next) is None:
                break
    engine.dispose()

    assert seen == every


def test_an_order_ends_in_the_id_and_names_itself() -> None:
    assert SORTS.read("-rooms,name").name == "-rooms,name,id"
    assert SORTS.read("-rooms").name == "-rooms,-id"
    assert SORTS.read(None) == SORTS.read("name")


@pytest.mark.parametrize("text", ["", "colour", "name,-name", "name;drop", "--name", ",", "id"])
def test_an_order_that_is_not_offered_is_refused(text: str) -> None:
    with pytest.raises(UnknownSort) as raised:
        SORTS.read(text)

    assert raised.value.facts == {"sortable": ["name", "rooms"]}


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = SORTS.read("name").cursor({"name_key": "a", "id": UUID(int=1)})

    with pytest.raises(BadCursor):
        SORTS.read("rooms").read(cursor)


def test_the_bytes_of_a_page_fit_its_description() -> None:
    page = Listing.whole(["a"], as_of=NOW)

    assert TypeAdapter(Listing[str]).validate_json(msgspec.json.encode(page)).model_dump() == {"items": ["a"], "next": None, "as_of": NOW}
