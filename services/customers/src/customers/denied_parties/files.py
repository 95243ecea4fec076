"""Files with lists of denied parties: CSV, OFAC's SDN list, and the consolidated list of the EU (CUS-13).

XML is read as a stream, without entities and without document types. What a file has of vessels and
aircraft is left out: they are nobody's customers.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from customers.rules.screening import DeniedParty

OFAC: Final = "OFAC SDN"
EU: Final = "EU"
_COLUMNS: Final = ("name", "country", "list", "reference")
_NO_CUSTOMERS: Final = frozenset({"vessel", "aircraft"})
_EU_TYPES: Final = {"P": "individual", "E": "entity"}


class BadList(ValueError):
    """The file is no list of denied parties."""


def read_file(path: Path) -> list[DeniedParty]:
    """The parties of a file, each under every name that it has.

    Raises:
        BadList: says what is wrong and, in CSV, in which line.
    """
    with path.open("rb") as file:
        is_xml = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
        file.seek(0)
        return list(_of_xml(path, file)) if is_xml else list(_of_csv(path))


def _of_csv(path: Path) -> Iterator[DeniedParty]:
    """Columns name, country, list and reference."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise BadList(f"{path} has no column {', '.join(missing)}")
        for row in rows:
            name, country, list_name, reference = ((row[column] or "").strip() for column in _COLUMNS)
            if not (name and list_name and reference):
                raise BadList(f"{path} line {rows.line_num}: name, list and reference are needed")
            yield DeniedParty(list_name, reference, name, country or None)


def _of_xml(path: Path, file: IO[bytes]) -> Iterator[DeniedParty]:
    read: Callable[[Element], Iterator[DeniedParty]] | None = None
    root: Element | None = None
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            name = _local(element)
            if root is None:
                root, read = element, _READERS.get(name)
                if read is None:
                    raise BadList(f"{path} begins with <{name}>, which is no list that is known")
            elif read is not None and event == "end" and name in _ENTRIES:
                yield from read(element)
                root.clear()
    except (ParseError, DefusedXmlException) as broken:
        raise BadList(f"{path} is no XML that is read here: {broken!r}") from broken


def _of_ofac(entry: Element) -> Iterator[DeniedParty]:
    """``sdnEntry``: the main name and each ``aka``, which is strong or weak."""
    entity_type = _text(entry, "sdnType").lower()
    if entity_type in _NO_CUSTOMERS:
        return
    reference = _text(entry, "uid")
    country = _countries(_text(one, "country") for one in entry.iter() if _local(one) in {"address", "nationality", "citizenship"})
    for named in (entry, *(one for one in entry.iter() if _local(one) == "aka")):
        name = " ".join(filter(None, (_text(named, "firstName"), _text(named, "lastName"))))
        if name and reference:
            yield DeniedParty(
                OFAC, reference, name, country, weak=_text(named, "category").lower() == "weak", entity_type=entity_type or None
            )


def _of_eu(entity: Element) -> Iterator[DeniedParty]:
    """``sanctionEntity``: each ``nameAlias``, which is strong or not."""
    reference = entity.get("euReferenceNumber") or entity.get("logicalId") or ""
    kinds = (one.get("classificationCode", "") for one in entity.iter() if _local(one) == "subjectType")
    entity_type = _EU_TYPES.get(next(kinds, ""))
    country = _countries(one.get("countryIso2Code", "") for one in entity.iter() if _local(one) in {"citizenship", "address"})
    for alias in (one for one in entity.iter() if _local(one) == "nameAlias"):
        parts = (alias.get("firstName", ""), alias.get("middleName", ""), alias.get("lastName", ""))
        name = " ".join((alias.get("wholeName") or " ".join(filter(None, parts))).split())
        if name and reference:
            yield DeniedParty(EU, reference, name, country, weak=alias.get("strong") == "false", entity_type=entity_type)


_READERS: Final = {"sdnList": _of_ofac, "export": _of_eu}
_ENTRIES: Final = frozenset({"sdnEntry", "sanctionEntity"})


def _local(element: Element) -> str:
    """A tag without its namespace, which both lists have changed over the years."""
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    """The text of the child of this name."""
    return next((" ".join((one.text or "").split()) for one in element if _local(one) == name), "")


def _countries(named: Iterator[str]) -> str | None:
    """Each once, in the order of the list; "00" is how the EU's says that it does not know."""
    return ", ".join(dict.fromkeys(one for one in named if one and one != "00")) or None
