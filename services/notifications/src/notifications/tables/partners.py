"""Partners, as far as mails speak of them. Follows ``partner.changed``."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.database.tables import Base, TenantRow


class Partner(TenantRow, Base):
    """A partner is its own tenant: ``partner_id`` equals ``id``."""

    __tablename__ = "partners"
    __table_args__ = (UniqueConstraint("id", name="partners_id_key"),)

    version: Mapped[int]
    name: Mapped[str]
    language: Mapped[str]
    purchase_url: Mapped[str | None]
    support_url: Mapped[str | None]
    support_email: Mapped[str | None]
    support_phone: Mapped[str | None]
