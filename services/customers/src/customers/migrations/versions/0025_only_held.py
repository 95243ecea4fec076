"""A customer's own role may have its customer held and add to what it is held for, and decide nothing; a link says who holds it."""

from alembic import op

from chassis.database import schema

revision = "0025"
down_revision = "0024"

_HELD = """
begin
    if new.status <> old.status and (old.status, new.status) <> ('active', 'pending_review') then
        raise insufficient_privilege using message = 'a customer''s own role may only have it held';
    end if;
    if new.review_reasons <> old.review_reasons
       and (new.status <> 'pending_review' or (old.status = new.status and not new.review_reasons @> old.review_reasons)) then
        raise insufficient_privilege using message = 'a customer''s own role takes no reason away';
    end if;
    return new;
end"""
_GROWN = """
begin
    if not new.findings @> old.findings then
        raise insufficient_privilege using message = 'a customer''s own role takes no finding away';
    end if;
    return new;
end"""


def upgrade() -> None:
    portal = f"{schema.service()}_portal"
    _guard("customers", "only_held", _HELD, "status, review_reasons", portal)
    _guard("reviews", "only_grown", _GROWN, "findings", portal)
    own = f"partner_id = {schema.TENANT} and customer_id = {schema.CUSTOMER}"
    fresh = "status = 'open' and held_from = 'active' and decided_at is null and decided_by is null and reason is null"
    op.execute("drop policy reviews_own on reviews")
    op.execute(f"create policy reviews_own on reviews for select to {portal} using ({own})")
    op.execute(f"create policy reviews_opened on reviews for insert to {portal} with check ({own} and {fresh})")
    op.execute(f"create policy reviews_grown on reviews for update to {portal} using ({own} and status = 'open') with check ({own})")
    op.execute(f"revoke update on reviews from {portal}")
    op.execute(f"grant update (findings) on reviews to {portal}")
    schema.door_function(
        "find_holder(link uuid)",
        "table (partner_id uuid, user_id uuid, kind text, customer_id uuid, gen bigint, email text, expires_at timestamptz,"
        " used_at timestamptz)",
        """select u.partner_id, u.id, u.kind, u.customer_id, u.gen, u.email, l.expires_at, l.used_at from links l
             join users u on u.partner_id = l.partner_id and u.id = l.user_id
            where l.id = link and u.status <> 'disabled'""",
    )


def _guard(table: str, name: str, body: str, columns: str, role: str) -> None:
    op.execute(f"create function {table}_{name}() returns trigger language plpgsql as $guard$ {body} $guard$")
    op.execute(
        f"create trigger {table}_{name} before update of {columns} on {table} for each row"
        f" when (current_user = '{role}') execute function {table}_{name}()"
    )
