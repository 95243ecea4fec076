"""The licence terms in force: which version a customer's creation must name as accepted (CUS-26)."""

import json
from typing import Final

import msgspec

from chassis.database import Read
from chassis.http.views import View

_NEWEST: Final = "select document from policies where kind = 'eula' order by version desc limit 1"


class EulaView(View, frozen=True, kw_only=True):
    """The terms in force; their `version` is sent back as `eula.version` when a customer is created.

    `text` is what is shown beside the box; `url` is where the whole stands, when the operator has put it somewhere.
    """

    version: str
    title: str
    text: str
    url: str | None


async def in_force(read: Read) -> EulaView:
    return msgspec.convert(json.loads(await read.connection.fetchval(_NEWEST)), EulaView)
