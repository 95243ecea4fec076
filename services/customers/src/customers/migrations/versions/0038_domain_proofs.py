"""Proofs of domains by their DNS; which domains are a partner's, in its state; after how long they are looked up again."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0038"
down_revision = "0037"

_POLICY = {"recheck_after": "P30D", "again_after": "P3D"}
_VERIFIED = """
update partners p set sign_in_domains = d.domains
  from (select partner_id, array_agg(domain order by domain) as domains from sso_domains group by partner_id) d
 where p.partner_id = d.partner_id and p.id = d.partner_id"""


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    schema.create(
        "tenant",
        "domain_proofs",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("domain", "record_value", "state")),
        _at("asked_at", nullable=False),
        *map(_at, ("checked_at", "verified_at", "failed_at")),
        sa.Column("problem", sa.Text),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("partner_id", "connection_id", "domain", name="domain_proofs_one_per_domain"),
        sa.CheckConstraint("state in ('asked', 'verified', 'failed')", name="state"),
        sa.CheckConstraint("(state = 'verified') = (verified_at is not null)", name="verified_at"),
        sa.ForeignKeyConstraint(
            ["partner_id", "connection_id"],
            ["sso_connections.partner_id", "sso_connections.id"],
            name="domain_proofs_connection",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    schema.door_function(
        "leave_sso_domain(ended text, connection uuid)",
        "void",
        "delete from sso_domains where domain = ended and connection_id = connection",
        to=("worker",),
    )
    schema.extend("partners", sa.Column("sign_in_domains", ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.execute(_VERIFIED)
    first = sa.text("insert into policies (kind, version, document) values ('single_sign_on', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))
