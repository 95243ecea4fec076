"""The licence terms in force, who may be sold to without a programme, and what a programme grants."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0005"
down_revision = "0004"

_POLICIES = {
    "eula": {
        "version": "2026-01",
        "title": "End user licence agreement",
        "text": "The vendor's licence terms for the products that are ordered, as of January 2026. The operator hands them out.",
        "url": None,
    },
    "provisioning": {"paid_without_programme": "no"},
}


def upgrade() -> None:
    op.add_column("programmes", sa.Column("capabilities", ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.execute("update programmes set capabilities = '{set_up_paid}' where status = 'active'")
    op.alter_column("programmes", "capabilities", server_default=None)
    schema.read_views("programmes", ["partner_id", "id", "version", "status", "capabilities"])
    first = sa.text("insert into policies (kind, version, document) values (:kind, 1, cast(:document as jsonb))")
    for kind, document in _POLICIES.items():
        op.execute(first.bindparams(kind=kind, document=json.dumps(document)))
