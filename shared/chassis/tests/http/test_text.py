"""Nothing comes in that cannot be stored, sorted, mailed and shown."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.http.text import CountryCode, EmailAddress, LanguageTag, Name, Note, Text, TimeZoneName, countries

NAME: TypeAdapter[str] = TypeAdapter(Name)
NOTE: TypeAdapter[str] = TypeAdapter(Note)
EMAIL: TypeAdapter[str] = TypeAdapter(EmailAddress)


def refused(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return raised.value.errors()[0]["type"]


def test_a_text_is_trimmed_and_composed() -> None:
    assert NAME.validate_python("  Cafe\u0301  ") == "Café"


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\x7fb", "a\u202eb", "\ufeffa", "a\u2028b", "a\x85b"])
def test_control_characters_are_refused(value: str) -> None:
    assert refused(Name, value) == "control_characters"


@pytest.mark.parametrize("value", ["\u200b", "\u200d\u200d", "a\u200b"[1:]])
def test_what_nobody_can_see_is_blank(value: str) -> None:
    assert refused(Name, value) == "blank"


@pytest.mark.parametrize("value", ["", "   ", "x" * 201, 7, True, None, b"x", "\ud800"])
def test_a_text_is_a_text_with_something_in_it(value: object) -> None:
    assert refused(Name, value)


def test_a_note_may_have_lines() -> None:
    assert NOTE.validate_python("one\r\ntwo\n\tthree") == "one\ntwo\n\tthree"
    assert refused(Note, "a\x00") == "control_characters"
    assert refused(Note, "a\rb") == "control_characters"


def test_a_text_that_grows_when_composed_is_measured_afterwards() -> None:
    assert refused(Annotated[str, Text(1)], "\ufb2c") == "too_long"


@given(st.text())
def test_what_passes_is_fit_and_passes_again(value: str) -> None:
    try:
        passed = NAME.validate_python(value)
    except ValidationError:
        return
    assert NAME.validate_python(passed) == passed
    assert passed == passed.strip()
    passed.encode()


def test_the_document_names_the_bounds() -> None:
    schema = NAME.json_schema()

    assert (schema["minLength"], schema["maxLength"], "pattern" in schema) == (1, 200, True)


def test_an_email_address_keeps_its_local_part_and_loses_the_case_of_its_domain() -> None:
    assert EMAIL.validate_python("Ada.Lovelace@EXAMPLE.com") == "Ada.Lovelace@example.com"
    assert EMAIL.validate_python("ada@bücher.example") == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "value",
    [
        "ada",
        "ada@",
        "ada@localhost",
        "a b@example.com",
        "ada@example.com\r\nBcc: x@example.com",
        "ä@example.com",
        "a" * 65 + "@example.com",
        f"a@{'b' * 250}.com",
        "ada@[127.0.0.1]",
        '"a b"@example.com',
    ],
)
def test_what_no_mail_server_takes_is_no_email_address(value: str) -> None:
    assert refused(EmailAddress, value)


def test_there_are_249_countries() -> None:
    assert len(countries()) == 249
    assert TypeAdapter(CountryCode).validate_python("DE") == "DE"
    for wrong in ("de", "UK", "EU", "ZZ", "DEU", ""):
        assert refused(CountryCode, wrong)


@pytest.mark.parametrize(("given_tag", "tag"), [("en", "en"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")])
def test_a_language_tag_is_written_as_the_rfc_says(given_tag: str, tag: str) -> None:
    assert TypeAdapter(LanguageTag).validate_python(given_tag) == tag


@pytest.mark.parametrize("value", ["", "english", "qq", "en_GB", "en-XQ", "en-GB-oed-x", "../en"])
def test_what_is_no_language_is_refused(value: str) -> None:
    assert refused(LanguageTag, value)


def test_a_time_zone_is_one_of_the_packaged_database() -> None:
    assert TypeAdapter(TimeZoneName).validate_python("Europe/Berlin") == "Europe/Berlin"
    for wrong in ("../../etc/passwd", "europe/berlin", "Factory", "localtime", "+02:00", ""):
        assert refused(TimeZoneName, wrong)
