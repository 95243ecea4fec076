"""Where a partner is, whole, and that those above it may change that."""

from alembic import op

revision = "0036"
down_revision = "0035"

_OPENED = """
update policies set document = jsonb_set(document, '{editable}', (
    select jsonb_agg(
        case when line ->> 'noun' = 'partner' and line ->> 'actor' in ('ancestor', 'operator')
             then jsonb_set(line, '{fields}', line -> 'fields' || '["/address"]') else line end
        order by number)
    from jsonb_array_elements(document -> 'editable') with ordinality as lines(line, number)))
where kind = 'field_mutability' and version = 1"""


def upgrade() -> None:
    op.execute('update partners set address = \'{"address_3": null, "website": null}\' || address where address is not null')
    op.execute(_OPENED)
