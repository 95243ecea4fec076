"""Signing up as a partner: its terms, what it says of itself, proofs of work that were spent."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0021"
down_revision = "0020"

_POLICY = {
    "open": True,
    "terms_version": "2026-01",
    "terms_text": "The terms on which partners work with the operator of this installation, as of January 2026.",
    "terms_url": None,
    "effort": 2000,
}


def upgrade() -> None:
    schema.extend(
        "partners",
        sa.Column("address", JSONB(none_as_null=True)),
        sa.Column("terms_version", sa.Text),
        sa.Column("terms_accepted_at", sa.DateTime(timezone=True)),
        sa.Column("held_for", ARRAY(sa.Text), nullable=False, server_default="{}"),
    )
    _shown_above()
    first = sa.text("insert into policies (kind, version, document) values ('sign_up', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))
    _proofs()
    _functions()


def _shown_above() -> None:
    shown = "id, version, name, name_key, country, status, parent_id, sandbox, shut_out, language, time_zone, support, registered_at"
    below = f"select parent_id as partner_id, {shown}, address, held_for from partners where parent_id is not null"  # noqa: S608 (constants)
    schema.view("resellers", below, "operator")
    schema.view("resellers_read", f"{below} and parent_id = {schema.TENANT}", "partner")


def _proofs() -> None:
    schema.create(
        "door",
        "spent_proofs",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Index("spent_proofs_until", "until"),
    )


def _functions() -> None:
    schema.door_function(
        "spend_proof(proof bytea, at timestamptz, good_until timestamptz)",
        "boolean",
        """delete from spent_proofs where until < at;
           with spent as (insert into spent_proofs (hash, until) values (proof, good_until) on conflict do nothing returning 1)
           select exists (select from spent)""",
    )
    schema.door_function(
        "sign_up_policy()",
        "jsonb",
        "select document from policies where kind = 'sign_up' order by version desc limit 1",
    )
    schema.door_function(
        "ask_sign_up(partner uuid, at timestamptz, said jsonb)",
        "void",
        """insert into due (partner_id, id, kind, subject, slot, due_at, retry_at, payload, sandbox)
           values (partner, gen_random_uuid(), 'partners.sign_up', partner, 'sign-up', at, at, said, false)""",
    )
