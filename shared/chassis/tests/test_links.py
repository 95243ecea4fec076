"""A link's token is made by who has the key, for one link, and changed by nobody."""

from uuid import UUID

import pytest

from chassis.links import link_token, read_link_token

KEY = b"one-key-of-thirty-two-characters"
LINK = UUID("01936b00-0000-7000-8000-00000000000a")


def test_a_token_leads_back_to_its_link() -> None:
    assert read_link_token(KEY, link_token(KEY, LINK)) == LINK


def test_a_token_fits_into_an_address_as_it_is() -> None:
    assert set(link_token(KEY, LINK)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@pytest.mark.parametrize("changed", ["", "x", LINK.hex, link_token(b"another key", LINK), link_token(KEY, LINK)[:-1], "ä" * 76, "0" * 200])
def test_what_was_not_made_with_the_key_is_no_token(changed: str) -> None:
    assert read_link_token(KEY, changed) is None


def test_the_id_cannot_be_exchanged() -> None:
    other = UUID(int=LINK.int + 1)
    assert read_link_token(KEY, other.hex + link_token(KEY, LINK)[32:]) is None
