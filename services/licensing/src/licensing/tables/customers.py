"""What licensing knows of the customers it serves: a projection of ``customer.changed``, and their acceptance of the terms."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Table, Text, UniqueConstraint, Uuid

from licensing.tables import Base

served_customers: Final = Table(
    "served_customers",
    Base.metadata,
    Column("partner_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("management_type", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("data_region", Text, nullable=False),
    Column("account_type", Text, nullable=False, server_default="licensing_portal"),
    Column("moving", Boolean, nullable=False, server_default="false"),
    UniqueConstraint("id", name="served_customers_id_once"),
)

eulas: Final = Table(
    "eulas",
    Base.metadata,
    Column("partner_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("eula_version", Text, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Index("eulas_of_a_customer", "partner_id", "customer_id"),
    Index("eulas_by_customer", "customer_id"),
)
