"""Firmware: which appliances of customers require an update, as products report, and the updates that customers were told to fetch."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from chassis.database.tables import TenantRow, Versioned
from licensing.tables import Base


class Appliance(TenantRow, Base):
    """An endpoint that runs firmware. ``version`` is its connector's count of its reports, ``endpoint_id`` the connector's own.

    It is one customer's: what is reported of another's under the same id is another appliance.
    """

    __tablename__ = "appliances"
    __table_args__ = (
        UniqueConstraint("customer_id", "endpoint_id", name="appliances_once"),
        Index("appliances_of_a_customer", "partner_id", "customer_id", "product"),
    )

    version: Mapped[int]
    customer_id: Mapped[UUID]
    product: Mapped[str]
    endpoint_id: Mapped[UUID]
    firmware_version: Mapped[str | None]
    update_required: Mapped[bool]
    reported_at: Mapped[datetime]


class FirmwareUpdate(TenantRow, Versioned, Base):
    """A customer was told to fetch an update. ``firmware_updates_one_open`` keeps it from being told twice of one."""

    __tablename__ = "firmware_updates"
    __table_args__ = (
        CheckConstraint("status in ('requested', 'updated', 'failed')", name="status_known"),
        CheckConstraint("(status = 'requested') = (finished_at is null)", name="finished_has_a_time"),
        Index("firmware_updates_one_open", "customer_id", "product", unique=True, postgresql_where=text("status = 'requested'")),
        Index("firmware_updates_newest", "partner_id", "requested_at", "id"),
        Index("firmware_updates_of_a_customer", "partner_id", "customer_id", "requested_at", "id"),
        Index("firmware_updates_of_a_job", "partner_id", "job_id", "requested_at", "id"),
        Index("firmware_updates_by_customer", "customer_id"),
    )

    customer_id: Mapped[UUID]
    product: Mapped[str]
    status: Mapped[str]
    appliances: Mapped[int]
    detail: Mapped[str | None]
    job_id: Mapped[UUID]
    data_region: Mapped[str]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
