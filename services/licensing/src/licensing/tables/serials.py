"""Serial numbers that operators loaded. Shared, but partners see one only by naming it (``door.serial``)."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from licensing.tables import Base


class Serial(Base):
    """Whose it is follows from the programme or subscription that carries it: whoever activated it first."""

    __tablename__ = "serials"
    __table_args__ = (
        CheckConstraint("kind in ('service_provider', 'product')", name="kind_known"),
        CheckConstraint("(kind = 'product') = (product is not null)", name="product_named"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    product: Mapped[str | None]
    loaded_at: Mapped[datetime]
