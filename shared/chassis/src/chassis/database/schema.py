"""Making tables in migrations: the short way is the tenanted way.

Every table has a class. *Tenant* tables hold a partner's rows and are seen by that partner;
*access* tables hold who may do what and are seen by the principal's own partner; *actor*
tables hold what a principal's calls leave behind and are seen by that principal; *shared* tables hold what is the same for
everybody; *rails* are seen by workers alone; *door* tables by nobody but the door functions.
All but rails and doors get row-level security and one policy per role.

Partners and portal users read tenant tables through views of the owner that repeat the
condition, because under row-level security only leakproof operators may use an index.
"""

from collections.abc import Collection
from typing import Any, Final, Literal

import sqlalchemy as sa
from alembic import op

from chassis.database.tables import NAMING

type TableClass = Literal["tenant", "access", "actor", "shared", "rail", "door"]

TENANT: Final = "nullif(current_setting('app.partner', true), '')::uuid"
ACTOR: Final = "nullif(current_setting('app.actor', true), '')::uuid"
CUSTOMER: Final = "nullif(current_setting('app.customer', true), '')::uuid"
USER: Final = "nullif(current_setting('app.principal', true), '')::uuid"

_REQUESTS: Final = ("partner", "portal", "operator")


def service() -> str:
    """The service whose database is being migrated; its roles begin with this name."""
    return str(op.get_context().opts["service"])


def create(kind: TableClass, name: str, *items: sa.schema.SchemaItem, portal: str | None = None, withheld: Collection[str] = ()) -> None:
    """Create a table of a class, with its policies, grants, indexes and read views.

    ``items`` are columns, constraints and indexes. ``portal`` names the column with the
    customer's id when customers' users may read their own rows, without the columns ``withheld``.
    The class is kept as the table's comment, where a test over the catalogue looks for it.
    """
    table = sa.Table(name, sa.MetaData(naming_convention=NAMING), *items, comment=f"class: {kind}")
    _name_targets(table)
    op.execute(sa.schema.CreateTable(table))
    _run(f"comment on table {name} is 'class: {kind}'")
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        op.execute(sa.schema.CreateIndex(index))
    if kind != "door":
        _run(f"grant select, insert, update, delete on {name} to {_role('worker')}")
    if kind not in {"rail", "door"}:
        _run(f"alter table {name} enable row level security")
        _policy(name, "worker", "all", "true")
    _PROTECT[kind](name, portal)
    if kind == "tenant":
        read_views(name, [column.name for column in table.columns], portal=portal, withheld=withheld)


def read_views(name: str, columns: list[str], *, portal: str | None = None, withheld: Collection[str] = ()) -> None:
    """(Re)create the views through which partners and portal users read a tenant table.

    Call it again after adding a column: views name their columns.
    """
    listed = ", ".join(columns)
    view(f"{name}_read", f"select {listed} from {name} where partner_id = {TENANT}", "partner")
    if portal:
        shown = ", ".join(column for column in columns if column not in withheld)
        view(f"{name}_portal", f"select {shown} from {name} where partner_id = {TENANT} and {portal} = {CUSTOMER}", "portal")


def extend(name: str, *columns: sa.Column[Any], portal: str | None = None, withheld: Collection[str] = ()) -> None:
    """Add columns to a tenant table and, behind those that they show, to its read views.

    ``portal`` and ``withheld`` as in ``create``; a table that the portal reads is given it again.
    """
    for column in columns:
        op.add_column(name, column)
    added = [column.name for column in columns]
    read_views(name, [*_shown(f"{name}_read"), *added])
    if portal:
        shown = ", ".join([*_shown(f"{name}_portal"), *(column for column in added if column not in withheld)])
        view(f"{name}_portal", f"select {shown} from {name} where partner_id = {TENANT} and {portal} = {CUSTOMER}", "portal")


def view(name: str, body: str, *readers: str) -> None:
    """(Re)create a view of the owner's and let these roles of the service read it."""
    _run(f"create or replace view {name} as {body}")
    _run(f"grant select on {name} to {', '.join(map(_role, readers))}")


def allow_insert(name: str) -> None:
    """Let request roles put rows into a rail without reading them back."""
    _run(f"grant insert on {name} to {', '.join(map(_role, _REQUESTS))}")


def door_function(signature: str, returns: str, body: str, *, to: tuple[str, ...] = ("api",)) -> None:
    """A SECURITY DEFINER function that requests may call before a tenant is known.

    It lives in schema ``door`` with a fixed search path, is revoked from public and granted to
    ``to`` alone: the bare api login, unless a unit of work needs it too. ``signature`` is name and arguments: ``find_user(login text)``.
    """
    _run("create schema if not exists door")
    callers = ", ".join(map(_role, to))
    _run(f"grant usage on schema door to {callers}")
    _run(
        f"create or replace function door.{signature} returns {returns} language sql security definer"
        f" set search_path = public, pg_temp as $door$ {body} $door$"
    )
    _run(f"revoke all on function door.{signature} from public")
    _run(f"grant execute on function door.{signature} to {callers}")


def access_condition(name: str, role: str = "partner") -> str:
    """Who sees a row of an access table.

    The principal's own partner; ancestors see a partner, a tenant its customers. A customer's user
    sees itself, its customer and its partner.
    """
    if role == "portal":
        return {"access_partners": f"id = {ACTOR}", "access_customers": f"id = {CUSTOMER}", "access_users": f"id = {USER}"}.get(
            name, "false"
        )
    if name == "access_partners":
        return f"id = {ACTOR} or {ACTOR} = any(ancestors)"
    if name == "access_customers":
        return f"partner_id in ({ACTOR}, {TENANT})"
    return f"partner_id = {ACTOR}"


def access_view(name: str, body: str) -> None:
    """An access table as a view of the service that owns what it says, with the same conditions inside (``body`` has none).

    A worker that acts in somebody's name says whose, as a request does, and reads it too.
    """
    condition = f"case when {CUSTOMER} is null then {access_condition(name)} else {access_condition(name, 'portal')} end"
    view(name, f"{body} where {condition}", *_REQUESTS, "worker")


def second_factor_door(partners: str) -> None:
    """Whether the staff of a partner must have a second factor: because it says so, or somebody above does.

    ``partners`` is where this service knows them. It is a door because nobody sees the partners above its own.
    """
    door_function(
        "second_factor_required(partner uuid)",
        "boolean",
        f"""select exists (
               select from {partners} own
                where own.id = partner
                  and (own.second_factor = 'required'
                       or exists (select from {partners} above
                                   where above.id = any(own.ancestors) and above.second_factor_below = 'required')))""",
        to=("api", *_REQUESTS, "worker"),
    )


def _shown(relation: str) -> list[str]:
    """The columns of a view, in order."""
    columns = "select attname from pg_attribute where attrelid = cast(:relation as regclass) and attnum > 0 order by attnum"
    return [str(name) for name in op.get_bind().scalars(sa.text(columns), {"relation": relation})]


def _name_targets(table: sa.Table) -> None:
    """Tell this table's metadata of the tables that its foreign keys point at, by name alone."""
    for foreign in table.foreign_keys:
        name, column = foreign.target_fullname.split(".")
        known = table.metadata.tables.get(name)
        target = known if known is not None else sa.Table(name, table.metadata)
        if column not in target.columns:
            target.append_column(sa.Column(column, foreign.parent.type))


def _protect_tenant(name: str, portal: str | None) -> None:
    _run(f"grant select, insert, update, delete on {name} to {_role('partner')}")
    _policy(name, "partner", "all", f"partner_id = {TENANT}")
    _run(f"grant select on {name} to {_role('operator')}")
    _policy(name, "operator", "select", "true")
    if portal:
        _run(f"grant select on {name} to {_role('portal')}")
        _policy(name, "portal", "select", f"partner_id = {TENANT} and {portal} = {CUSTOMER}")


def _protect_access(name: str, _portal: str | None) -> None:
    for role in _REQUESTS:
        _run(f"grant select on {name} to {_role(role)}")
        _policy(name, role, "select", access_condition(name, role))


def _protect_actor(name: str, _portal: str | None) -> None:
    for role in _REQUESTS:
        _run(f"grant select, insert, update on {name} to {_role(role)}")
        _policy(name, role, "all", f"partner_id = {ACTOR} and user_id = {USER}")


def _protect_shared(name: str, _portal: str | None) -> None:
    _run(f"grant insert, update, delete on {name} to {_role('operator')}")
    for role in _REQUESTS:
        _run(f"grant select on {name} to {_role(role)}")
        _policy(name, role, "all" if role == "operator" else "select", "true")


def _leave(_name: str, _portal: str | None) -> None:
    """Nobody else is let in."""


_PROTECT: Final[dict[TableClass, Any]] = {
    "tenant": _protect_tenant,
    "access": _protect_access,
    "actor": _protect_actor,
    "shared": _protect_shared,
    "rail": _leave,
    "door": _leave,
}


def _policy(name: str, role: str, command: str, condition: str) -> None:
    check = f" with check ({condition})" if command == "all" else ""
    _run(f"create policy {name}_{role} on {name} for {command} to {_role(role)} using ({condition}){check}")


def _role(name: str) -> str:
    return f"{service()}_{name}"


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
