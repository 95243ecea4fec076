"""Offers as orders find them."""

from sqlalchemy import select

from chassis.database import Transaction
from contracts.licensing.offers import Price, TrialPolicy
from licensing.errors import NoPriceOfOffer, NoTrialOfOffer, OfferUnknown, OfferWithdrawn
from licensing.tables.offers import Offer


async def on_sale(tx: Transaction, code: str) -> Offer:
    """The offer that orders name by ``code``.

    Raises:
        OfferUnknown: there is none.
        OfferWithdrawn: its sale has ended.
    """
    found = (await tx.session.execute(select(Offer).where(Offer.code == code))).scalar_one_or_none()
    if found is None:
        raise OfferUnknown(offer=code[:200])
    if found.status != "on_sale":
        raise OfferWithdrawn(policy_version=str(found.offer_version), offer=code)
    return found


def trial_of(offer: Offer) -> TrialPolicy:
    """How a trial of the offer runs.

    Raises:
        NoTrialOfOffer: it has none.
    """
    if offer.trial is None:
        raise NoTrialOfOffer(policy_version=str(offer.offer_version), offer=offer.code)
    return TrialPolicy.model_validate(offer.trial)


def price_of(offer: Offer) -> Price:
    """What the offer costs today.

    Raises:
        NoPriceOfOffer: it is for trials only.
    """
    if offer.price is None:
        raise NoPriceOfOffer(policy_version=str(offer.offer_version), offer=offer.code)
    return Price.model_validate(offer.price)
