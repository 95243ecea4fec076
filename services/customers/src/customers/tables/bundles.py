"""Bundles that a job has made, until their file is fetched or a week is over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base


class BundlePiece(Base):
    """One customer's bundle, signed; ``sha256`` is its hash."""

    __tablename__ = "bundle_pieces"
    __table_args__ = (Index("bundle_pieces_by_customer", "customer_id"), Index("bundle_pieces_made", "made_at"))

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
