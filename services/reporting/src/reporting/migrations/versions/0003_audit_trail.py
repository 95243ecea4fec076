"""What every service's audit tells."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema.create(
        "tenant",
        "audit_trail",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("user_kind", sa.Text, nullable=False),
        sa.Column("user_partner_id", sa.Uuid, nullable=False),
        sa.Column("acting_as", sa.Uuid),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("subject_type", sa.Text),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("facts", ARRAY(sa.Text), nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Index("audit_trail_by_time", "partner_id", "at", "id"),
        sa.Index("audit_trail_by_user", "partner_id", "user_id", "at", "id"),
        sa.Index("audit_trail_by_subject", "partner_id", "subject_id", "at", "id"),
        sa.Index("audit_trail_by_operation", "partner_id", "operation", "at", "id"),
    )
