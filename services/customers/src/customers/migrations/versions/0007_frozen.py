"""Versions of policies stay as they were published; what a new role gives where its maker does not say."""

import json

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(f"revoke update, delete on policies from {schema.service()}_operator, {schema.service()}_worker")
    first = sa.text("insert into policies (kind, version, document) values ('roles', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps({"role_default_access": "read_write"})))
