"""Which customers a reader sees whose roles do not show all of them.

One fragment, shared by every list, total and search: inside each role an explicit customer
decides, then the highest of its tags, then *All customers*, then the default (CUS-85 to
CUS-91). A customer that no role shows is absent.
"""

from typing import Any

from sqlalchemy import ColumnElement, TextClause, Uuid, bindparam, text

_SHOWN = """exists (
    select from access_users viewer
    join access_roles grants on grants.partner_id = viewer.partner_id and grants.id = any(viewer.role_ids)
    where viewer.partner_id = :viewer_partner and viewer.id = :viewer
      and coalesce(
            grants.customers ->> ({customer})::text,
            (select tagged.level from access_customers known
               join jsonb_each_text(grants.tags) tagged(tag, level) on tagged.tag = any(known.tags)
              where known.id = {customer}
              order by array_position(array['read_write', 'read', 'none'], tagged.level) limit 1),
            grants.all_customers,
            grants.default_level) <> 'none')"""


def shown(customer: ColumnElement[Any]) -> TextClause:
    """The condition that the caller sees the customer in this column; its parameters are ``viewer`` and ``viewer_partner``."""
    name = customer.name
    table = customer.table.name
    parameters = (bindparam("viewer", type_=Uuid), bindparam("viewer_partner", type_=Uuid))
    return text(_SHOWN.format(customer=f'"{table}"."{name}"')).bindparams(*parameters)
