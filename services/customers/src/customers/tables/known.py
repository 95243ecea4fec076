"""What customers has to know to refuse at once: offers, programmes and subscriptions as licensing tells them, lists.

Offers and lists are shared tables; programmes and subscriptions are their partner's.
"""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ARRAY, Index, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class KnownOffer(Base):
    """An offer, as far as an order is refused by it. What was known before its ``product`` was told has none."""

    __tablename__ = "offers"
    __table_args__ = (Index("offers_code", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    product: Mapped[str | None]
    status: Mapped[str]
    trial: Mapped[bool]
    trial_seat_cap: Mapped[int | None]
    trials_per_product: Mapped[int | None]
    paid: Mapped[bool]


class KnownProgramme(TenantRow, Base):
    """A partner's programme; an active one lets it do what its capabilities name (CUS-17)."""

    __tablename__ = "programmes"
    __table_args__ = (Index("programmes_id", "id", unique=True),)

    version: Mapped[int]
    status: Mapped[str]
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))


class KnownSubscription(TenantRow, Base):
    """What a customer has, as far as it is found by that, and letting it go depends on it (CUS-37, CUS-61, CUS-62)."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("subscriptions_id", "id", unique=True),
        Index("subscriptions_of_customer", "partner_id", "customer_id"),
    )

    version: Mapped[int]
    customer_id: Mapped[UUID]
    product: Mapped[str]
    offer: Mapped[str | None]
    status: Mapped[str]
    partner_owned: Mapped[bool]


class ScreeningList(Base):
    """One list of denied parties. ``load_id`` names its present content."""

    __tablename__ = "screening_lists"

    list_name: Mapped[str] = mapped_column(primary_key=True)
    load_id: Mapped[UUID]
    names: Mapped[int]
    loaded_at: Mapped[datetime]


class ScreeningName(Base):
    """A denied party, under one of its names. ``country`` is as the list says, several with commas between them."""

    __tablename__ = "screening_names"
    __table_args__ = (Index("screening_names_list", "list_name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[str]
    reference: Mapped[str]
    name: Mapped[str]
    country: Mapped[str | None]
    weak: Mapped[bool] = mapped_column(default=False)
    entity_type: Mapped[str | None]


class ScreeningRun(Base):
    """One look at all customers of all partners; ended when every partner is done."""

    __tablename__ = "screening_runs"
    __table_args__ = (Index("screening_runs_newest", "started_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    partners: Mapped[int]
    partners_done: Mapped[int]
    customers: Mapped[int]
    found: Mapped[int]
    ended_at: Mapped[datetime | None]


offers = cast("Table", KnownOffer.__table__)
programmes = cast("Table", KnownProgramme.__table__)
subscriptions = cast("Table", KnownSubscription.__table__)
"""As the projections write them."""
