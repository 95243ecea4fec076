"""How far a bulk action reaches before its number must be confirmed."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_POLICY = {"customers": 500, "per_cent": 25, "always": 10}


def upgrade() -> None:
    first = sa.text("insert into policies (kind, version, document) values ('bulk', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))
