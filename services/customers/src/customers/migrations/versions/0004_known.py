"""What customers has to know to refuse at once: offers, programmes, denied parties, policies."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0004"
down_revision = "0003"

_POLICIES = {
    "identity": {"first_admin": "same_domain", "temporary_allowed": True},
    "residency": {"regions": ["default"]},
}


def upgrade() -> None:
    schema.create(
        "shared",
        "offers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("trial", sa.Boolean, nullable=False),
        sa.Column("trial_seat_cap", sa.BigInteger),
        sa.Column("paid", sa.Boolean, nullable=False),
        sa.Index("offers_code", "code"),
    )
    schema.create(
        "tenant",
        "programmes",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Index("programmes_id", "id", unique=True),
    )
    _screening()
    _policies()


def _screening() -> None:
    schema.create(
        "shared",
        "screening_lists",
        sa.Column("list_name", sa.Text, primary_key=True),
        sa.Column("load_id", sa.Uuid, nullable=False),
        sa.Column("names", sa.BigInteger, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
    )
    schema.create(
        "shared",
        "screening_names",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("list_name", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("country", sa.Text),
        sa.Index("screening_names_list", "list_name"),
    )


def _policies() -> None:
    schema.create(
        "shared",
        "policies",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    first = sa.text("insert into policies (kind, version, document) values (:kind, 1, cast(:document as jsonb))")
    for kind, document in _POLICIES.items():
        op.execute(first.bindparams(kind=kind, document=json.dumps(document)))
