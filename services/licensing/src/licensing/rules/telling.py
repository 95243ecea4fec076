"""How licensing tells what happened to an offer, a programme or a subscription, and to what products are set to.

Every fact goes to its own topic; the whole state goes once to the entity's state topic. All
carry the version that the change gave the entity: pending changes are flushed first.
"""

from typing import Final

from chassis.database import About, Transaction
from chassis.retelling import Retelling
from contracts.licensing.firmware import FirmwareUpdateFact
from contracts.licensing.offers import OfferChanged, OfferPublished, OfferState
from contracts.licensing.product_settings import PolicyDeploymentFact, TemplateAssigned
from contracts.licensing.programmes import ProgrammeChanged, ProgrammeFact, ProgrammeState
from contracts.licensing.subscriptions import SubscriptionChanged, SubscriptionFact, SubscriptionState
from licensing.rules import moments, served
from licensing.tables.firmware import FirmwareUpdate
from licensing.tables.offers import Offer
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing.tables.programmes import Programme
from licensing.tables.subscriptions import Subscription


async def tell_subscription(tx: Transaction, subscription: Subscription, *facts: SubscriptionFact) -> None:
    """Tell its state, and what happened, which nobody tells while its customer is being moved (MKT-02).

    Raises:
        CustomerMoving: it is.
        Retry: it is, and nobody asks.
    """
    if facts:
        await served.stay(tx, subscription.customer_id)
    await tx.session.flush()
    about = _about(tx, subscription)
    told = [tx.tell(fact, about=about) for fact in facts]
    state = SubscriptionState.model_validate(subscription)
    tx.tell(SubscriptionChanged(facts=[fact.topic for fact in facts], state=state), about=about, caused_by=told)
    await moments.remember(tx, subscription)


def _about(tx: Transaction, subscription: Subscription) -> About:
    return tx.entity(
        "subscription",
        subscription.id,
        version=subscription.version,
        customer_id=subscription.customer_id,
        data_region=subscription.data_region,
    )


async def tell_programme(tx: Transaction, programme: Programme, *facts: ProgrammeFact) -> None:
    await tx.session.flush()
    about = tx.entity("programme", programme.id, version=programme.version)
    told = [tx.tell(fact, about=about) for fact in facts]
    state = ProgrammeState.model_validate(programme)
    tx.tell(ProgrammeChanged(facts=[fact.topic for fact in facts], state=state), about=about, caused_by=told)


async def tell_offer(tx: Transaction, offer: Offer) -> None:
    await tx.session.flush()
    about = tx.entity("offer", offer.id, version=offer.version)
    published = OfferPublished(code=offer.code, offer_version=offer.offer_version)
    told = tx.tell(published, about=about)
    tx.tell(OfferChanged(facts=[published.topic], state=OfferState.model_validate(offer)), about=about, caused_by=[told])


async def tell_settings(tx: Transaction, settings: ProductSettings, fact: TemplateAssigned, data_region: str) -> None:
    await tx.session.flush()
    whose = settings.customer_id
    about = tx.entity("product_settings", settings.id, version=settings.version, customer_id=whose, data_region=data_region)
    tx.tell(fact, about=about)


async def tell_deployment(tx: Transaction, deployment: PolicyDeployment, fact: PolicyDeploymentFact) -> None:
    await tx.session.flush()
    tx.tell(fact, about=_on_its_way(tx, "policy_deployment", deployment))


async def tell_update(tx: Transaction, update: FirmwareUpdate, fact: FirmwareUpdateFact) -> None:
    await tx.session.flush()
    tx.tell(fact, about=_on_its_way(tx, "firmware_update", update))


def _on_its_way(tx: Transaction, kind: str, asked: PolicyDeployment | FirmwareUpdate) -> About:
    return tx.entity(kind, asked.id, version=asked.version, customer_id=asked.customer_id, data_region=asked.data_region)


async def _offer_again(tx: Transaction, offer: Offer) -> None:
    """What an offer is, without publishing it once more."""
    about = tx.entity("offer", offer.id, version=offer.version)
    tx.tell(OfferChanged(facts=[], state=OfferState.model_validate(offer)), about=about)


async def end_subscription(tx: Transaction, subscription: Subscription) -> None:
    """Say that nothing is kept of it any more."""
    await tx.session.flush()
    tx.tell(SubscriptionChanged.ending(), about=_about(tx, subscription))


async def _subscription_again(tx: Transaction, subscription: Subscription) -> None:
    """One whose customer is purged ended, and ends again."""
    await (end_subscription if subscription.forgotten_at else tell_subscription)(tx, subscription)


RETELLINGS: Final = (
    Retelling(aggregate="offer", rows=Offer, tell=_offer_again),
    Retelling(aggregate="programme", rows=Programme, tell=tell_programme),
    Retelling(aggregate="subscription", rows=Subscription, tell=_subscription_again),
)
