"""Loading lists of denied parties: each is replaced whole, and counts everywhere from the moment it is committed (CUS-13)."""

from collections import Counter
from collections.abc import Sequence
from itertools import batched
from typing import Final

from sqlalchemy import delete, func, insert

from chassis.database import Work
from chassis.ids import new_id
from customers.rules.screening import DeniedParty
from customers.tables.known import ScreeningList, ScreeningName

_AT_ONCE: Final = 2_000


async def load(work: Work, parties: Sequence[DeniedParty]) -> dict[str, int]:
    """Replace the content of every list that the parties name; answers how many names each has now."""
    counts = Counter(party.list_name for party in parties)
    lists = sorted(counts)
    await work.session.execute(delete(ScreeningName).where(ScreeningName.list_name.in_(lists)))
    await work.session.execute(delete(ScreeningList).where(ScreeningList.list_name.in_(lists)))
    for some in batched(parties, _AT_ONCE, strict=False):
        await work.session.execute(insert(ScreeningName), [_row(party) for party in some])
    if parties:
        loaded = [{"list_name": one, "load_id": new_id(), "names": counts[one], "loaded_at": func.now()} for one in lists]
        await work.session.execute(insert(ScreeningList).values(loaded))
    return dict(counts)


def _row(party: DeniedParty) -> dict[str, object]:
    return {
        "id": new_id(),
        "list_name": party.list_name,
        "reference": party.reference,
        "name": party.name,
        "country": party.country,
        "weak": party.weak,
        "entity_type": party.entity_type,
    }
