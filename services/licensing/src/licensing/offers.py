"""Offers as partners and operators read them, with what a trial of each is (CUS-16)."""

from typing import Final
from uuid import UUID

from chassis.database import Read
from chassis.http.lists import Listing
from chassis.http.views import Stored, View
from contracts.licensing.offers import Price, TrialPolicy

_ALL: Final = """
select id, code, offer_version, product, product_type, name, status, trial, price, auto_renew_default
  from offers
 where status = 'on_sale' or $1
 order by product_type, code
"""


class OfferView(View, frozen=True, kw_only=True):
    """One offer as it is sold now; ``trial`` or ``price`` is null where there is none."""

    id: UUID
    code: str
    offer_version: int
    product: str
    product_type: str
    name: str
    status: str
    trial: Stored[TrialPolicy] | None
    price: Stored[Price] | None
    auto_renew_default: bool


async def all_of(read: Read, *, withdrawn: bool) -> Listing[OfferView]:
    """The catalogue: the same for everybody who sells, at most a few hundred offers."""
    rows = await read.connection.fetch(_ALL, withdrawn)
    return Listing.whole([OfferView.of(row) for row in rows], as_of=read.real_now)
