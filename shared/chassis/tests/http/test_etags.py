"""Nobody changes what they have not seen."""

import pytest

from chassis.http.etags import BadIfMatch, IfMatchRequired, Stale, etag, seen


def test_the_tag_that_was_answered_is_accepted() -> None:
    seen(etag(3)).admit(3)
    seen('"1", "3"').admit(3)
    seen("*").admit(3)


@pytest.mark.parametrize("header", ['"2"', 'W/"3"', '"03"', '"x"', '"3x"', '""'])
def test_another_version_or_a_weak_tag_is_stale(header: str) -> None:
    with pytest.raises(Stale) as raised:
        seen(header).admit(3)

    assert raised.value.facts == {"version": 3}


@pytest.mark.parametrize("header", [None, "", "  "])
def test_a_change_without_if_match_is_refused(header: str | None) -> None:
    with pytest.raises(IfMatchRequired):
        seen(header)


@pytest.mark.parametrize("header", ["3", '"3', '"3" "4"', '"3",', "*, *", '"\x00"'])
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(BadIfMatch):
        seen(header)
