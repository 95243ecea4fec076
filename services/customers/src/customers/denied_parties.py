"""Lists of denied parties: loaded whole from a file, list by list (CUS-13)."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import delete, func, insert

from chassis.database import Work
from chassis.ids import new_id
from customers.rules.screening import DeniedParty
from customers.tables.known import ScreeningList, ScreeningName

_COLUMNS: Final = ("name", "country", "list", "reference")


class BadList(ValueError):
    """The file is no list of denied parties."""


def read_file(path: Path) -> list[DeniedParty]:
    """The parties of a CSV file with the columns name, country, list and reference.

    Raises:
        BadList: says what is wrong and in which line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise BadList(f"{path} has no column {', '.join(missing)}")
        parties = list[DeniedParty]()
        for row in rows:
            name, country, list_name, reference = ((row[column] or "").strip() for column in _COLUMNS)
            if not (name and list_name and reference):
                raise BadList(f"{path} line {rows.line_num}: name, list and reference are needed")
            parties.append(DeniedParty(list_name, reference, name, country or None))
    return parties


async def load(work: Work, parties: Sequence[DeniedParty]) -> dict[str, int]:
    """Replace the content of every list that the parties name; answers how many names each has now."""
    counts = Counter(party.list_name for party in parties)
    lists = sorted(counts)
    await work.session.execute(delete(ScreeningName).where(ScreeningName.list_name.in_(lists)))
    await work.session.execute(delete(ScreeningList).where(ScreeningList.list_name.in_(lists)))
    if parties:
        await work.session.execute(insert(ScreeningName), [_row(party) for party in parties])
        loaded = [{"list_name": one, "load_id": new_id(), "names": counts[one], "loaded_at": func.now()} for one in lists]
        await work.session.execute(insert(ScreeningList).values(loaded))
    return dict(counts)


def _row(party: DeniedParty) -> dict[str, object]:
    return {"id": new_id(), "list_name": party.list_name, "reference": party.reference, "name": party.name, "country": party.country}
