"""Products as clients see them: what each can be set by, so that nothing else is offered (CUS-65 to CUS-67)."""

from typing import Final

from chassis.database import Read
from chassis.http.lists import Listing
from chassis.http.views import Stored, View
from contracts.records import JsonObject

_ALL: Final = "select code, name, templates, policies, firmware, defaults from products order by code"


class ProductView(View, frozen=True, kw_only=True):
    """A product. `defaults` are what it is set to where its partner has no default template."""

    code: str
    name: str
    templates: bool
    policies: bool
    firmware: bool
    defaults: Stored[JsonObject]


async def all_of(read: Read) -> Listing[ProductView]:
    """The same for everybody, at most a few hundred."""
    rows = await read.connection.fetch(_ALL)
    return Listing.whole([ProductView.of(row) for row in rows], as_of=read.real_now)
