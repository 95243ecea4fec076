"""Doors: logins and passwords, sessions, links; what is asked before a tenant is known.

``logins`` is where a login e-mail is unique in the whole installation (CUS-10, CUS-11). A row
belongs to a user, or keeps the address of a customer's contact who is no user of its own.
Triggers write it, so no running role needs a grant and nobody can forget it.
"""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0003"
down_revision = "0002"


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["partner_id", column], [f"{table}.partner_id", f"{table}.id"], name=name, onupdate="CASCADE", ondelete="CASCADE"
    )


def upgrade() -> None:
    _links()
    _logins()
    _sessions()
    _addresses_are_kept()
    _functions_for_sign_in()
    _functions_for_refresh()
    _functions_for_tenants()


def _links() -> None:
    schema.create(
        "tenant",
        "links",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.CheckConstraint("purpose in ('welcome', 'invitation', 'password_reset')", name="purpose"),
        _to("users", "user_id", "links_user"),
        sa.Index("links_id", "id", unique=True),
        sa.Index("links_of_user", "partner_id", "user_id"),
    )


def _logins() -> None:
    schema.create(
        "door",
        "logins",
        sa.Column("email_key", sa.Text, primary_key=True),
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("password_hash", sa.Text),
        sa.CheckConstraint("user_id is not null or customer_id is not null", name="of_somebody"),
        sa.UniqueConstraint("partner_id", "user_id", name="logins_one_per_user"),
        _to("users", "user_id", "logins_user"),
        _to("customers", "customer_id", "logins_customer"),
        sa.Index("logins_of_customer", "partner_id", "customer_id"),
    )


def _sessions() -> None:
    schema.create(
        "door",
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("gen", sa.BigInteger, nullable=False),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sa.Column("end_reason", sa.Text),
        _to("users", "user_id", "sessions_user"),
        sa.Index("sessions_of_user", "partner_id", "user_id"),
    )
    schema.create(
        "door",
        "refresh_tokens",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("session_id", sa.Uuid, nullable=False),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="refresh_tokens_session", ondelete="CASCADE"),
        sa.Index("refresh_tokens_session", "session_id"),
    )


def _trigger(function: str, body: str, table: str, columns: str) -> None:
    op.execute("create schema if not exists door")
    op.execute(
        f"create function door.{function}() returns trigger language plpgsql security definer"
        f" set search_path = public, pg_temp as $door$ {body} $door$"
    )
    op.execute(f"revoke all on function door.{function}() from public")
    op.execute(f"create trigger {function} after insert or update of {columns} on {table} for each row execute function door.{function}()")


def _addresses_are_kept() -> None:
    """A user's address takes over what was kept for its own customer's contact, and leaves it behind; any other holder is a violation."""
    _trigger(
        "users_keep_login",
        """
        begin
            if tg_op = 'UPDATE' and lower(old.email) is not distinct from lower(new.email) then
                return null;
            elsif new.email is null then
                delete from logins where partner_id = new.partner_id and user_id = new.id;
                return null;
            elsif tg_op = 'UPDATE' and old.email is not null then
                delete from logins
                 where email_key = lower(new.email) and user_id is null and partner_id = new.partner_id and customer_id = new.customer_id;
                update logins set email_key = lower(new.email) where partner_id = new.partner_id and user_id = new.id;
                insert into logins (email_key, partner_id, customer_id)
                select lower(old.email), c.partner_id, c.id from customers c
                 where c.partner_id = new.partner_id and c.id = new.customer_id and lower(c.contact ->> 'email') = lower(old.email)
                   and c.status not in ('deleted', 'purged', 'rejected');
                return null;
            end if;
            update logins set user_id = new.id
             where email_key = lower(new.email) and user_id is null and partner_id = new.partner_id and customer_id = new.customer_id;
            if not found then
                insert into logins (email_key, partner_id, user_id, customer_id)
                values (lower(new.email), new.partner_id, new.id, new.customer_id);
            end if;
            return null;
        end
        """,
        "users",
        "email",
    )
    _trigger(
        "customers_keep_contact",
        """
        declare
            kept text := case when new.status in ('deleted', 'purged', 'rejected') then null else lower(new.contact ->> 'email') end;
        begin
            delete from logins
             where partner_id = new.partner_id and customer_id = new.id and user_id is null and email_key is distinct from kept;
            if kept is not null and not exists (
                select from logins where email_key = kept and partner_id = new.partner_id and customer_id = new.id
            ) then
                insert into logins (email_key, partner_id, customer_id) values (kept, new.partner_id, new.id);
            end if;
            return null;
        end
        """,
        "customers",
        "contact, status",
    )


_WHO = """u.partner_id, u.id as user_id, u.kind, u.status, u.gen, u.customer_id, p.status as partner_status,
          c.status as customer_status, c.management_type"""
_WHO_TYPES = """partner_id uuid, user_id uuid, kind text, status text, gen bigint, customer_id uuid, partner_status text,
                customer_status text, management_type text"""
_WHO_FROM = """join partners p on p.partner_id = u.partner_id and p.id = u.partner_id
               left join customers c on c.partner_id = u.partner_id and c.id = u.customer_id"""


def _functions_for_sign_in() -> None:
    schema.door_function(
        "find_login(login text)",
        f"table ({_WHO_TYPES}, password_hash text)",
        f"""select {_WHO}, l.password_hash from logins l
             join users u on u.partner_id = l.partner_id and u.id = l.user_id {_WHO_FROM}
            where l.email_key = login""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "open_session(session uuid, partner uuid, holder uuid, holder_gen bigint, token bytea, at timestamptz, until timestamptz)",
        "boolean",
        """with opened as (
               insert into sessions (id, partner_id, user_id, gen, started_at)
               select session, u.partner_id, u.id, u.gen, at from users u
                where u.partner_id = partner and u.id = holder and u.gen = holder_gen and u.status = 'active'
               returning id),
           first as (insert into refresh_tokens (hash, session_id, expires_at) select token, id, until from opened returning 1)
           select exists (select from first)""",
    )
    schema.door_function(
        "find_link(link uuid)",
        "table (partner_id uuid, user_id uuid, gen bigint, email text, expires_at timestamptz, used_at timestamptz, purpose text)",
        """select u.partner_id, u.id, u.gen, u.email, l.expires_at, l.used_at, l.purpose from links l
             join users u on u.partner_id = l.partner_id and u.id = l.user_id
            where l.id = link and u.status <> 'disabled'""",
    )


def _functions_for_refresh() -> None:
    """``lock_refresh`` locks first and looks second: only a statement that begins behind the lock sees what its last holder did."""
    schema.door_function(
        "lock_refresh(token bytea)",
        f"table ({_WHO_TYPES}, session_id uuid, session_gen bigint, ended_at timestamptz, expires_at timestamptz, used_at timestamptz)",
        f"""select 1 from sessions s where s.id = (select r.session_id from refresh_tokens r where r.hash = token) for update;
            select {_WHO}, s.id, s.gen, s.ended_at, r.expires_at, r.used_at
              from refresh_tokens r
              join sessions s on s.id = r.session_id
              join users u on u.partner_id = s.partner_id and u.id = s.user_id {_WHO_FROM}
             where r.hash = token""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "rotate_refresh(old bytea, new bytea, at timestamptz, until timestamptz)",
        "boolean",
        """with used as (update refresh_tokens set used_at = at where hash = old and used_at is null returning session_id),
           gone as (delete from refresh_tokens r using used where r.session_id = used.session_id and r.expires_at < at),
           next as (insert into refresh_tokens (hash, session_id, expires_at) select new, session_id, until from used returning 1)
           select exists (select from next)""",
    )
    schema.door_function(
        "end_session(session uuid, at timestamptz, why text)",
        "boolean",
        "with ended as (update sessions set ended_at = at, end_reason = why where id = session and ended_at is null returning 1)"
        " select exists (select from ended)",
    )


def _functions_for_tenants() -> None:
    """Two that a unit of work needs: which addresses are taken anywhere, and putting a password where nobody reads it."""
    schema.door_function(
        "taken_emails(keys text[])",
        "text[]",
        "select coalesce(array_agg(email_key), '{}') from logins where email_key = any(keys)",
        to=("partner", "worker"),
    )
    schema.door_function(
        "set_password(partner uuid, holder uuid, hash text)",
        "boolean",
        f"""with changed as (
                update logins set password_hash = hash
                 where partner_id = partner and user_id = holder
                   and (partner = {schema.TENANT} or session_user = '{schema.service()}_worker')
                returning 1)
            select exists (select from changed)""",  # noqa: S608 (constants)
        to=("partner", "worker"),
    )
