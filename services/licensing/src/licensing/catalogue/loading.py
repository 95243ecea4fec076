"""Loading: a catalogue file becomes products, offers, serial numbers and policy documents, all or nothing.

Loading the same file again changes and tells nothing. An offer that differs gets its next
version; versions that were published never change, and what was pinned from them stays.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction, Work, locks
from chassis.policies import Policy
from contracts.licensing.offers import OfferState, Price, TrialPolicy
from contracts.root import ROOT_PARTNER_ID
from licensing.catalogue.document import CatalogueFile, OfferSaid, PoliciesSaid, ProductSaid, SerialSaid
from licensing.catalogue.reading import UnreadableFile
from licensing.rules import policies
from licensing.rules.policy_kinds import KINDS
from licensing.rules.telling import tell_offer
from licensing.tables.offers import Offer, OfferVersion
from licensing.tables.products import Product
from licensing.tables.serials import Serial

_ONE_AT_A_TIME: Final = "licensing catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load changed."""

    products: list[str]
    offers: list[str]
    serials: int
    policies: list[str]


async def load(work: Work, file: CatalogueFile) -> Loaded:
    """Bring the catalogue to what the file says.

    Raises:
        UnreadableFile: it contradicts a serial number that was loaded before.
    """
    await locks.alone(work.session, _ONE_AT_A_TIME)
    async with work.item(ROOT_PARTNER_ID) as tx:
        products = [said.code for said in file.products if await _set_up(tx, said)]
        offers = [said.code for said in file.offers if await _publish(tx, said)]
        serials = await _add_serials(tx, file.serials)
        published = await _publish_policies(tx, file)
    return Loaded(products=products, offers=offers, serials=serials, policies=published)


async def _set_up(tx: Transaction, said: ProductSaid) -> bool:
    """Say what a product can be set by; False where it is what was said already."""
    product = (await tx.session.execute(select(Product).where(Product.code == said.code))).scalar_one_or_none()
    if product is None:
        tx.session.add(Product(**said.model_dump()))
        return True
    wanted = {name: value for name, value in said.model_dump().items() if getattr(product, name) != value}
    for name, value in wanted.items():
        setattr(product, name, value)
    return bool(wanted)


async def _publish(tx: Transaction, said: OfferSaid) -> bool:
    """Publish the offer's next version; False where it is what was said already."""
    offer = (await tx.session.execute(select(Offer).where(Offer.code == said.code))).scalar_one_or_none()
    wanted = _columns(said)
    if offer is None:
        offer = Offer(id=tx.new_id(), offer_version=1, **wanted)
        tx.session.add(offer)
    elif all(getattr(offer, name) == value for name, value in wanted.items()):
        return False
    else:
        offer.offer_version += 1
        for name, value in wanted.items():
            setattr(offer, name, value)
    await tell_offer(tx, offer)
    document = OfferState.model_validate(offer).model_dump(mode="json")
    tx.session.add(OfferVersion(offer_id=offer.id, offer_version=offer.offer_version, document=document, published_at=tx.now))
    return True


def _columns(said: OfferSaid) -> dict[str, Any]:
    """The offer as it is kept: policies and prices in the shape in which they are told."""
    trial = TrialPolicy.model_validate(said.trial).model_dump(mode="json") if said.trial else None
    price = Price.model_validate(said.price).model_dump(mode="json") if said.price else None
    return said.model_dump(exclude={"trial", "price"}) | {"trial": trial, "price": price}


async def _add_serials(tx: Transaction, said: list[SerialSaid]) -> int:
    if not said:
        return 0
    known = {one.code: one for one in (await tx.session.execute(select(Serial))).scalars()}
    contradicting = [
        f"serials[{place}]: {one.code} was loaded as {known[one.code].kind} {known[one.code].product or ''}".rstrip()
        for place, one in enumerate(said)
        if one.code in known and (known[one.code].kind, known[one.code].product) != (one.kind, one.product)
    ]
    if contradicting:
        raise UnreadableFile(*contradicting)
    new = [{**one.model_dump(), "loaded_at": tx.now} for one in said if one.code not in known]
    if new:
        await tx.session.execute(insert(Serial), new)
    return len(new)


async def _publish_policies(tx: Transaction, file: CatalogueFile) -> list[str]:
    said: list[Policy | None] = [getattr(file.policies, name) for name in PoliciesSaid.model_fields]
    return [policy.kind for policy in said if policy is not None and await _publish_policy(tx, policy)]


async def _publish_policy(tx: Transaction, policy: Policy) -> bool:
    stands = await policies.in_force(tx, type(policy))
    if stands.policy == policy:
        return False
    await KINDS.put(tx, policy, stands.version + 1)
    return True
