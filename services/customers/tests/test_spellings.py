"""A denied party is found however its name is spelt, and an ordinary company is let through (CUS-13)."""

import pytest

from customers.rules.screening import DeniedParty, Index

NAMES = """
Krasnaya Zvezda Trading LLC; Black Harbour Shipping Ltd; Orient Falcon Procurement Company; Nordlicht Proliferation Kontor GmbH;
Pyongsan General Machinery Corporation; Viktor Ostrakov; Ivo Balthasar Krell; Samira al-Qadeen; Ghost Ledger Holdings Inc;
Иван Петров; Yevgeny Prigozhin; Mohammed Al-Rashid; Bashar al-Assad; Wagner Group; Rosoboronexport; Iran Air; Bank Melli;
General Machinery Company; Green Star Shipping; Aurora LLC; Islamic Revolutionary Guard Corps; Kalashnikov Concern
""".replace("\n", " ")
ORDINARY = """
3M Deutschland; Ada Lovelace; Air Berlin; Al Rashid Grocery; Alder Bakery; Aurora Apotheke; Aurora Trading GmbH; Bank Austria;
Black Forest Holdings; Blackstone Group; Bäckerei Wagner; Company number 7; Concern Worldwide; Evgeny Kaspersky; Falcon Private Bank;
Falcon Security Systems; General Electric Deutschland; General Trading Company Ltd; Gerd Rashidi; Ghost Kitchen Berlin GmbH;
Ghostwriter Agentur; Grace Hopper; Green Energy Solutions; Guard Security Corps; Hafen IT GmbH; Harbour Café; Holdings International Group;
Iranische Spezialitäten Berlin; Islamic Relief Deutschland; Ivan Novak; Ivo Schneider Bau; Johann Petry; Kontor Digital Media;
Krasnaya Ploshad Cafe; Krell Maschinenbau; Ledger Consulting; Lübeck Logistik; Machinery Trading International; Max Mustermann;
Mohammed Weber; Müller & Söhne GmbH; National Oil Company of Norway; Nordlicht Apotheke; Nordlicht Kontor für Kaffee;
Nordwind Reederei GmbH & Co. KG; Orient Express Reisen; Orient Teppiche; Ostrava Steel; Petra Iwanowa; Petrov Transport;
Procurement Services Europe; Pyongyang Cafe; Rashid Khan; Red Harbour Hotels; Red Star Sport e.V.; Samira Kaya; Schmidt;
Shadow Agency; Stadtwerke München; Star Shipping Services; Technologies & Systems GmbH; Trading House Krasnodar;
Viktor Müller Elektrotechnik; Viktoria Versicherung; Wagner & Partner Steuerberatung; Wagner Logistik GmbH; Zahnarztpraxis Dr. Meier;
Zvezda Restaurant
""".replace("\n", " ")
LISTED = Index([DeniedParty("UN", "1", name.strip(), None) for name in NAMES.split(";")])


def found(name: str) -> list[str]:
    return [match.party.name for match in LISTED.matches(name)]


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Ghost Ledger Holdings Deutschland GmbH", "Ghost Ledger Holdings Inc"),
        ("Ghost Ledger S.à r.l.", "Ghost Ledger Holdings Inc"),
        ("Ivan Sergeyevich Petrov", "Иван Петров"),
        ("Евгений Викторович Пригожин", "Yevgeny Prigozhin"),
        ("محمد علي الرشيد", "Mohammed Al-Rashid"),
        ("Rosoboronexport Deutschland GmbH", "Rosoboronexport"),
        ("Orient-Falcon GmbH", "Orient Falcon Procurement Company"),
        ("Wagner Group Holding SE", "Wagner Group"),
    ],
)
def test_words_added_hide_nobody(name: str, listed: str) -> None:
    """CUS-13."""
    assert listed in found(name)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Ivo Krell", "Ivo Balthasar Krell"),
        ("Krasnaya Zvezda", "Krasnaya Zvezda Trading LLC"),
        ("Pyongsan Machinery GmbH", "Pyongsan General Machinery Corporation"),
    ],
)
def test_words_left_out_hide_nobody(name: str, listed: str) -> None:
    """CUS-13."""
    assert listed in found(name)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Ghostledger Holdings", "Ghost Ledger Holdings Inc"),
        ("Ghostledger Alpha GmbH", "Ghost Ledger Holdings Inc"),
        ("Blackharbour", "Black Harbour Shipping Ltd"),
        ("Mohamed Alrashid", "Mohammed Al-Rashid"),
        ("Samira Alqadeen", "Samira al-Qadeen"),
    ],
)
def test_spaces_left_out_hide_nobody(name: str, listed: str) -> None:
    """CUS-13."""
    assert listed in found(name)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Ivan Petrow", "Иван Петров"),
        ("Evgeny Prigozhin", "Yevgeny Prigozhin"),
        ("Евгений Пригожин", "Yevgeny Prigozhin"),
        ("محمد الرشيد", "Mohammed Al-Rashid"),
        ("Muhammad El-Raschid", "Mohammed Al-Rashid"),
        ("بشار الأسد", "Bashar al-Assad"),
        ("سميرة القدين", "Samira al-Qadeen"),
        ("OSTRAKOW, Victor", "Viktor Ostrakov"),
        ("Krasnaja Swesda", "Krasnaya Zvezda Trading LLC"),
        ("Irán Air GmbH", "Iran Air"),
    ],
)
def test_another_spelling_or_script_hides_nobody(name: str, listed: str) -> None:
    """CUS-13."""
    assert listed in found(name)


def test_the_likest_comes_first() -> None:
    """CUS-13."""
    index = Index([DeniedParty("UN", "1", "Ghost Ledgers Holding", None), DeniedParty("UN", "2", "Ghost Ledger Holdings", None)])

    assert [match.party.reference for match in index.matches("Ghost Ledger Holdings")] == ["2", "1"]


@pytest.mark.parametrize("name", [one.strip() for one in ORDINARY.split(";")])
def test_an_ordinary_name_is_no_match(name: str) -> None:
    """CUS-13: a word that many have, or one of two that tell, is no concern."""
    assert found(name) == []
