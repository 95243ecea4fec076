"""Which customers a reader sees whose roles do not show all of them.

One fragment, shared by every list, total and search: inside each role an explicit customer
decides, then the highest of its tags, then *All customers*, then the default (CUS-85 to
CUS-91). A customer that no role shows is absent. The roles are the projection's, or those that
customers was just asked for.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Text, TextClause, Uuid, bindparam, text

_LEVEL: Final = """coalesce(
            grants.customers ->> ({customer})::text,
            (select tagged.level from access_customers known
               join jsonb_each_text(grants.tags) tagged(tag, level) on tagged.tag = any(known.tags)
              where known.id = {customer}
              order by array_position(array['read_write', 'read', 'none'], tagged.level) limit 1),
            grants.all_customers,
            grants.default_level)"""
_SHOWN: Final = f"""exists (
    select from access_users viewer
    join access_roles grants on grants.partner_id = viewer.partner_id and grants.id = any(viewer.role_ids)
    where viewer.partner_id = :viewer_partner and viewer.id = :viewer
      and {_LEVEL} <> 'none')"""
_TOLD: Final = f"""exists (
    select from jsonb_to_recordset(cast(:viewer_grants as jsonb))
                as grants(customers jsonb, tags jsonb, all_customers text, default_level text)
    where {_LEVEL} <> 'none')"""


def shown(customer: ColumnElement[Any], *, told: bool = False) -> TextClause:
    """The condition that the caller sees the customer in this column.

    Its parameters are ``viewer`` and ``viewer_partner``; ``viewer_grants`` where the roles are ``told``.
    """
    column = f'"{customer.table.name}"."{customer.name}"'
    if told:
        return text(_TOLD.format(customer=column)).bindparams(bindparam("viewer_grants", type_=Text))
    parameters = (bindparam("viewer", type_=Uuid), bindparam("viewer_partner", type_=Uuid))
    return text(_SHOWN.format(customer=column)).bindparams(*parameters)
