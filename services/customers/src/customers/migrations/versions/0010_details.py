"""What kind of account a customer has, unmanaged Macs, what a review holds up, and who may change which field.

A customer's own users change its details: which of them, the policy says; whose, row-level security.
"""

import json

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0010"
down_revision = "0009"

_DETAILS = (
    *("company", "contact", "name", "name_key", "country", "company_key", "unmanaged_macs_allowed"),
    *("status", "review_reasons", "updated_at", "version"),
)
_PROFILE = ["/company", "/unmanaged_macs_allowed"]
_CONTACT = ["/contact/name", "/contact/phone", "/contact/language", "/contact/time_zone"]
_ACCOUNT = ["/support", "/language", "/time_zone"]
_PLATFORM = {"account_types": ["licensing_platform"], "rule": "CUS-64"}
_LET_IN = ["partner_managed", "co_managed"]
_POLICIES = {
    "field_mutability": {
        "editable": [
            {"noun": "customer", "actor": "partner", "fields": _PROFILE},
            {"noun": "customer", "actor": "customer", "fields": [*_CONTACT, "/unmanaged_macs_allowed"]},
            {"noun": "customer", "actor": "operator", "fields": [*_PROFILE, "/contact"]},
            {"noun": "partner", "actor": "partner", "fields": _ACCOUNT},
            {"noun": "partner", "actor": "operator", "fields": ["/company_name", "/country", *_ACCOUNT]},
        ]
    },
    "capability_matrix": {
        "actions": {
            "delete": {"account_types": ["licensing_portal"], "rule": "CUS-64"},
            **dict.fromkeys(("assign_template", "deploy_policy", "update_firmware"), _PLATFORM | {"management_types": _LET_IN}),
            "renew_licences": _PLATFORM,
            "launch_console": {"management_types": _LET_IN, "rule": "CUS-54"},
        }
    },
}


def upgrade() -> None:
    schema.extend(
        "customers",
        sa.Column("account_type", sa.Text, nullable=False, server_default="licensing_portal"),
        sa.Column("unmanaged_macs_allowed", sa.Boolean, nullable=False, server_default="false"),
        portal="id",
    )
    schema.extend("reviews", sa.Column("held_from", sa.Text))
    _customers_change_their_own()
    first = sa.text("insert into policies (kind, version, document) values (:kind, 1, cast(:document as jsonb))")
    for kind, document in _POLICIES.items():
        op.execute(first.bindparams(kind=kind, document=json.dumps(document)))


def _customers_change_their_own() -> None:
    portal = f"{schema.service()}_portal"
    own = f"partner_id = {schema.TENANT} and {{column}} = {schema.CUSTOMER}"
    mine, about_me = own.format(column="id"), own.format(column="customer_id")
    op.execute(f"create policy customers_own on customers for update to {portal} using ({mine}) with check ({mine})")
    op.execute(f"grant update ({', '.join(_DETAILS)}) on customers to {portal}")
    op.execute(f"create policy reviews_own on reviews for all to {portal} using ({about_me}) with check ({about_me})")
    op.execute(f"grant select, insert, update on reviews to {portal}")
    op.execute(f"grant execute on function door.taken_emails(text[]) to {portal}")
