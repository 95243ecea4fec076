"""The licence terms in force: which version a customer's creation must name as accepted (CUS-26)."""

import json
from typing import Final

import msgspec

from chassis.database import Read

_NEWEST: Final = "select document from policies where kind = 'eula' order by version desc limit 1"


class Eula(msgspec.Struct):
    """``text`` is what is shown beside the box; ``url`` is where the whole stands, when the operator has put it somewhere."""

    version: str
    title: str
    text: str
    url: str | None


async def in_force(read: Read) -> Eula:
    return msgspec.convert(json.loads(await read.connection.fetchval(_NEWEST)), Eula)
