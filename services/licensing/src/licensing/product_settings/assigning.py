"""Assigning: an existing customer's product is set as a template of its partner says (CUS-65)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from licensing.errors.product_settings import TemplateOfOtherProduct, TemplateUnknown
from licensing.rules import offered, products, setting
from licensing.rules.setting import Pattern
from licensing.tables.product_settings import ProductSettings, Template

NONE_YET = 0
"""The version of what nobody has set yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTemplate:
    customer_id: UUID
    pattern: Pattern
    seen: Seen


async def choose(tx: Transaction, template_id: UUID, *, product: str | None = None) -> Pattern:
    """The template that somebody names, as it is now.

    Raises:
        TemplateUnknown: the partner has none such.
        TemplateOfOtherProduct: it is for another product.
    """
    mine = select(Template).where(Template.partner_id == tx.partner_id, Template.id == template_id)
    template = (await tx.session.scalars(mine)).one_or_none()
    if template is None:
        raise TemplateUnknown(template_id=str(template_id))
    if product is not None and template.product != product:
        raise TemplateOfOtherProduct(product=template.product)
    return Pattern.of(template)


async def assign(tx: Transaction, command: AssignTemplate) -> ProductSettings:
    """Set a customer's product by a template. One that is set by this version of it already is left alone.

    Raises:
        NotSupported: the product has no templates.
        CustomerNotServed, NotOffered, ProductNotHeld: it is not done with this customer now.
        Stale: the product was set otherwise since the caller looked.
    """
    pattern = command.pattern
    await products.supporting(tx, pattern.product, "templates")
    customer = await offered.admit(tx, offered.ASSIGN_TEMPLATE, command.customer_id, pattern.product)
    await setting.alone(tx, command.customer_id, pattern.product)
    standing = await setting.of(tx, command.customer_id, pattern.product)
    command.seen.admit(standing.version if standing else NONE_YET)
    if standing is not None and _is_set_so(standing, pattern):
        return standing
    return await setting.assign(tx, standing, command.customer_id, pattern, data_region=customer.data_region)


def _is_set_so(standing: ProductSettings, pattern: Pattern) -> bool:
    chosen = (standing.template_id, standing.template_version, standing.settings)
    return chosen == (pattern.template_id, pattern.version, pattern.settings)
