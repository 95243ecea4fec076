"""Offers as they are sold now, and every version that ever was. Shared: the same for every partner."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Versioned
from licensing.tables import Base


class Offer(Versioned, Base):
    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("code", name="offers_code_once"),
        CheckConstraint("status in ('on_sale', 'withdrawn')", name="status_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    offer_version: Mapped[int]
    product: Mapped[str]
    product_type: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    trial: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    price: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    auto_renew_default: Mapped[bool]


class OfferVersion(Base):
    """One published version, never changed: what a subscription's ``offer_version`` refers to."""

    __tablename__ = "offer_versions"
    __table_args__ = (ForeignKeyConstraint(["offer_id"], ["offers.id"], name="offer_versions_of_an_offer"),)

    offer_id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
