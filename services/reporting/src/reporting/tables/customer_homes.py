"""Which partners have managed which customer, the present one among them: whose reports about it may be believed.

A row (its ``id`` is the customer's) outlives its customer, ``forgotten``, so that what is still reported of a purged
one is kept nowhere; it names nobody.
"""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class CustomerHome(TenantRow, Base):
    __tablename__ = "customer_homes"
    __table_args__ = (Index("customer_homes_customer", "id"),)

    forgotten: Mapped[bool] = mapped_column(server_default="false")
