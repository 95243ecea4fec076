"""A cursor comes back as it went out, and anything else is refused as a bad cursor."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.http import cursors
from chassis.http.cursors import BadCursor

VALUES = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=50),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(VALUES, max_size=5), st.text(alphabet="abc,-_", max_size=20))
def test_a_cursor_comes_back_as_it_went_out(values: list[Any], sort: str) -> None:
    assert cursors.decode(cursors.encode(values, sort), sort) == tuple(values)


@given(st.text(max_size=200))
@example("")
@example("é")
@example("W10")
@example("A" * 5000)
@example("null")
def test_garbage_is_a_bad_cursor(garbage: str) -> None:
    with pytest.raises(BadCursor):
        cursors.decode(garbage, "name")


@given(st.binary(max_size=100))
@example(b'["name",[["i","99999999999999999999"]]]')
@example(b'["name",[["s","\\u0000"]]]')
@example(b'["name",[["s","\\ud800"]]]')
@example(b'["name",[["t","2026-01-05"]]]')
@example(b'["name",[["t","0001-01-01T00:00:00+23:59"]]]')
@example(b'["name",[["u","x"]]]')
@example(b'["name",[["z",""]]]')
@example(b'["name",[["i","1_0x"]]]')
@example(b"[" * 90)
def test_what_decodes_to_something_else_is_a_bad_cursor_too(inside: bytes) -> None:
    with pytest.raises(BadCursor):
        cursors.decode(base64.urlsafe_b64encode(inside).rstrip(b"=").decode(), "name")


def test_a_cursor_of_another_sort_is_refused() -> None:
    with pytest.raises(BadCursor):
        cursors.decode(cursors.encode(["a"], "name"), "-name")


@pytest.mark.parametrize("types", [(str,), (int, int), (str, UUID), (str, int, int)])
def test_a_cursor_with_other_types_is_refused(types: tuple[type, ...]) -> None:
    with pytest.raises(BadCursor):
        cursors.decode(cursors.encode(["a", 1], "name"), "name", types)


def test_an_instant_is_the_same_in_every_zone() -> None:
    at = datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=2)))

    assert cursors.decode(cursors.encode([at], "at"), "at", (datetime,)) == (at,)


@pytest.mark.parametrize("value", [True, 1.5, b"x"])
def test_a_value_that_cursors_do_not_carry_is_a_defect(value: Any) -> None:
    with pytest.raises(TypeError):
        cursors.encode([value], "name")
