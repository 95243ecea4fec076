"""A letter says the same in HTML and in text, in a language that there is, and whole (NOT-12, CUS-75)."""

import tomllib
from importlib.resources import files

import pytest

from notifications.rules import letters
from notifications.rules.letters import Sender

KINDS = (
    *("layout", "welcome", "invitation", "stage_disable", "stage_delete", "shut_out_by_customer", "shut_out_by_partner"),
    *("password_changed", "second_factor_changed", "recovery_codes_changed", "api_key_made"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_language_has_all_phrases_with_the_same_names_in_them(kind: str) -> None:
    catalogues = {
        one.name: tomllib.loads(one.read_text(encoding="utf-8"))
        for one in (files("notifications") / "templates" / kind).iterdir()
        if one.name.endswith(".toml")
    }
    english = catalogues["en.toml"]

    assert len(catalogues) == 2
    for catalogue in catalogues.values():
        assert catalogue.keys() == english.keys()
        assert len(catalogue.get("paragraphs", ())) == len(english.get("paragraphs", ()))


@pytest.mark.parametrize(
    ("asked", "given"), [("de", "de"), ("de-CH", "de"), ("DE", "de"), ("fr", "en"), ("", "en"), ("../../x", "en"), ("zh-Hant-TW", "en")]
)
def test_a_language_that_is_not_there_falls_back(asked: str, given: str) -> None:
    assert letters.phrases("welcome", asked)[0] == given


def test_a_name_cannot_bring_lines_of_its_own_into_the_text() -> None:
    letter = letters.write(
        "invitation", "en", sender=Sender(name="Hafen\n\nPay here: http://evil"), link="https://x", values={"name": "A", "address": "a@b"}
    )

    assert "Hafen Pay here" in letter.text
    assert "\nPay here" not in letter.text


def test_a_letter_without_a_link_says_that_it_is_left_out() -> None:
    values = {"name": "Ada", "address": "a@b", "company": "Mill"}
    letter = letters.write("welcome", "de", sender=Sender(name="Hafen"), link=None, copy="copy", values=values)

    assert "In dieser Kopie fehlt er." in letter.html
    assert "In dieser Kopie fehlt er." in letter.text
    assert "Passwort festlegen" not in letter.text
