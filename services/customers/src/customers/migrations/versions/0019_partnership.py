"""Who put a partner to rest, the partners below one, how deep their tree may be, and what those above may change of them."""

import json

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0019"
down_revision = "0018"

_SHOWN = "id, version, name, name_key, country, status, parent_id, sandbox, shut_out, language, time_zone, support, registered_at"
_ANCESTOR = {"noun": "partner", "actor": "ancestor", "fields": ["/company_name", "/country", "/support", "/language", "/time_zone"]}


def upgrade() -> None:
    schema.extend("partners", sa.Column("disabled_by", sa.Uuid))
    below = f"select parent_id as partner_id, {_SHOWN} from partners where parent_id is not null"  # noqa: S608 (constants)
    schema.view("resellers", below, "operator")
    schema.view("resellers_read", f"{below} and parent_id = {schema.TENANT}", "partner")
    op.create_index("partners_below", "partners", ["parent_id", "name_key", "id"])
    first = sa.text("insert into policies (kind, version, document) values ('partner_tree', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps({"deepest": 3})))
    opened = sa.text(
        "update policies set document = jsonb_set(document, '{editable}', document -> 'editable' || cast(:line as jsonb))"
        " where kind = 'field_mutability' and version = 1"
    )
    op.execute(opened.bindparams(line=json.dumps([_ANCESTOR])))
