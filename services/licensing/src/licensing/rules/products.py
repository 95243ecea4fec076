"""Products: what each can be set by, as the catalogue says; one that it does not name, by nothing (CUS-65 to CUS-67)."""

from typing import Final, Literal

from sqlalchemy import select

from chassis.database import Transaction
from licensing.errors.product_settings import NotSupported, ProductUnknown
from licensing.tables.products import Product

type Support = Literal["templates", "policies", "firmware"]

_RULES: Final[dict[Support, str]] = {"templates": "CUS-65", "policies": "CUS-66", "firmware": "CUS-67"}


async def supporting(tx: Transaction, code: str, support: Support) -> Product:
    """The product, if it supports this.

    Raises:
        ProductUnknown: there is none of this code.
        NotSupported: it does not.
    """
    product = await find(tx, code)
    if product is None:
        raise ProductUnknown(rule=_RULES[support])
    if not getattr(product, support):
        raise NotSupported(f"{product.name} supports no {support}.", rule=_RULES[support], product=product.code)
    return product


async def find(tx: Transaction, code: str) -> Product | None:
    return (await tx.session.execute(select(Product).where(Product.code == code))).scalar_one_or_none()
