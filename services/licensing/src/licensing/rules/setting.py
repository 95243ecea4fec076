"""Setting: what a customer's product is set to, whoever sets it (CUS-28, CUS-65, CUS-66).

Settings of one product of one customer are changed by one at a time (``alone``), so that what is
set, what is on its way and what the product reports are decided in one order.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction, locks
from contracts.licensing.product_settings import TemplateAssigned
from licensing.rules import products
from licensing.rules.telling import tell_settings
from licensing.tables.product_settings import ProductSettings, Template
from licensing.tables.subscriptions import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A template as it was when somebody chose it."""

    template_id: UUID
    version: int
    name: str
    product: str
    settings: dict[str, Any]

    @classmethod
    def of(cls, template: Template) -> "Pattern":
        return cls(
            template_id=template.id, version=template.version, name=template.name, product=template.product, settings=template.settings
        )


async def alone(tx: Transaction, customer_id: UUID, product: str) -> None:
    """Wait until nobody else sets this product of the customer, and keep others from it until the transaction ends."""
    await locks.alone(tx.session, f"product settings {customer_id} {product}")


async def of(tx: Transaction, customer_id: UUID, product: str) -> ProductSettings | None:
    """What the product is set to; None where nobody has set it yet."""
    mine = (ProductSettings.partner_id == tx.partner_id, ProductSettings.customer_id == customer_id, ProductSettings.product == product)
    found = select(ProductSettings).where(*mine).with_for_update().execution_options(populate_existing=True)
    return (await tx.session.scalars(found)).one_or_none()


async def begin(tx: Transaction, subscription: Subscription) -> None:
    """Set a product that a customer was just given: by its partner's default template, else as the catalogue says (CUS-28).

    One that was set before stays as it is.
    """
    product = await products.find(tx, subscription.product)
    if product is None or not product.templates:
        return
    await alone(tx, subscription.customer_id, product.code)
    if await of(tx, subscription.customer_id, product.code) is not None:
        return
    mine = (Template.partner_id == tx.partner_id, Template.product == product.code, Template.is_default)
    template = (await tx.session.scalars(select(Template).where(*mine))).one_or_none()
    settings = _none_yet(tx, subscription.customer_id, product.code)
    if template is not None:
        await _take_over(tx, settings, Pattern.of(template), subscription.data_region)
    elif product.defaults:
        settings.settings = product.defaults
        tx.session.add(settings)


async def assign(
    tx: Transaction, settings: ProductSettings | None, customer_id: UUID, pattern: Pattern, *, data_region: str
) -> ProductSettings:
    """Set a product as a template says."""
    settings = settings or _none_yet(tx, customer_id, pattern.product)
    await _take_over(tx, settings, pattern, data_region)
    return settings


async def overlay(tx: Transaction, customer_id: UUID, product: str, sections: dict[str, Any]) -> None:
    """Let a policy that a product has taken over stand in what it is set to, section by section."""
    settings = await of(tx, customer_id, product) or _none_yet(tx, customer_id, product)
    settings.settings = settings.settings | sections
    settings.updated_at = tx.now
    tx.session.add(settings)


def _none_yet(tx: Transaction, customer_id: UUID, product: str) -> ProductSettings:
    row = ProductSettings(partner_id=tx.partner_id, id=tx.new_id(), customer_id=customer_id, product=product, settings={})
    row.updated_at = tx.now
    return row


async def _take_over(tx: Transaction, settings: ProductSettings, pattern: Pattern, data_region: str) -> None:
    settings.settings, settings.updated_at = pattern.settings, tx.now
    settings.template_id, settings.template_version, settings.template_name = pattern.template_id, pattern.version, pattern.name
    tx.session.add(settings)
    fact = TemplateAssigned(
        product=pattern.product, template_id=pattern.template_id, template_version=pattern.version, settings=pattern.settings
    )
    await tell_settings(tx, settings, fact, data_region)
