"""One row per endpoint and customer, as its product's connector reported it last.

A device that its product knows no longer keeps its row, ``deleted`` and without a name: an older report must not bring it back.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class Endpoint(TenantRow, Base):
    """``id`` is made of the customer and the connector's ``endpoint_id``, so no report about one customer touches another's row."""

    __tablename__ = "endpoints"
    __table_args__ = (
        UniqueConstraint("id", name="endpoints_one_partner"),
        Index("endpoints_customer", "partner_id", "customer_id"),
        Index("endpoints_by_customer", "customer_id"),
    )

    version: Mapped[int] = mapped_column()
    customer_id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    product: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str | None]
    group_name: Mapped[str | None]
    protection: Mapped[str]
    agent_version: Mapped[str | None]
    agent_update_required: Mapped[bool]
    definitions_update_required: Mapped[bool]
    firmware_version: Mapped[str | None]
    firmware_update_required: Mapped[bool]
    risks_blocked: Mapped[int]
    quarantined_items: Mapped[int]
    infected_items: Mapped[int]
    detections: Mapped[int]
    last_seen_at: Mapped[datetime]
    deployed_at: Mapped[datetime | None]
    deleted: Mapped[bool]
