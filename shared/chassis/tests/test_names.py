"""A name is found in every list by however somebody can type it (CUS-31)."""

import pytest

from chassis.names import search_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Иванова", "ivanova"),
        ("Søren", "soren"),
        ("Łódź", "lodz"),
        ("Müller  & Söhne", "muller & sohne"),
        ("STRASSE", "strasse"),
        ("Straße_9", "strasse_9"),
        ("100% Sicher", "100% sicher"),
        ("\uff21\uff23\uff2d\uff25\u00a0Ltd", "acme ltd"),
    ],
)
def test_a_name_is_compared_without_case_accents_and_script(name: str, key: str) -> None:
    """CUS-31."""
    assert search_key(name) == key
    assert search_key(key) == key


def test_a_name_of_which_nothing_is_left_is_its_own_key() -> None:
    assert search_key("\u200b") == "\u200b"
