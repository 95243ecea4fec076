"""Offers as partners and operators read them, with what a trial of each is (CUS-16)."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel

from chassis.database import Read
from contracts.licensing.offers import Price, TrialPolicy
from licensing.rules import pages

_ALL: Final = """
select id, code, offer_version, product, product_type, name, status, trial, price, auto_renew_default
  from offers
 where status = 'on_sale' or $1
 order by product_type, code
"""


class OfferView(BaseModel):
    """One offer as it is sold now; ``trial`` or ``price`` is null where there is none."""

    id: UUID
    code: str
    offer_version: int
    product: str
    product_type: str
    name: str
    status: str
    trial: TrialPolicy | None
    price: Price | None
    auto_renew_default: bool


async def all_of(read: Read, *, withdrawn: bool) -> list[OfferView]:
    """The catalogue: the same for everybody, at most a few hundred offers."""
    rows = await read.connection.fetch(_ALL, withdrawn)
    return [OfferView.model_validate(pages.decoded(row, "trial", "price")) for row in rows]
