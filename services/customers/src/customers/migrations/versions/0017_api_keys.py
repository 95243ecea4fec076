"""API keys: which permissions one may use, and the secrets by which it is known, behind the door."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0017"
down_revision = "0016"

_TENANTS = ("partner", "operator")
_KEY = f"partner_id = {schema.TENANT} and user_id = holder"


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    schema.extend("users", sa.Column("scopes", ARRAY(sa.Text)), portal="customer_id")
    columns = "partner_id, id, version, kind, status, gen, customer_id, role_ids, second_factor, scopes"
    schema.access_view("access_users", f"select {columns} from users")  # noqa: S608 (constants)
    _secrets()
    _functions()


def _secrets() -> None:
    """``ending`` is how the secret ends, for people to tell theirs apart; ``used_at`` is good to the minute."""
    schema.create(
        "door",
        "key_secrets",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("ending", sa.Text, nullable=False),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("used_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id", "user_id"],
            ["users.partner_id", "users.id"],
            name="key_secrets_user",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.Index("key_secrets_of_user", "partner_id", "user_id"),
    )


def _functions() -> None:
    schema.door_function(
        "find_api_key(secret bytea, at timestamptz)",
        """table (partner_id uuid, user_id uuid, kind text, status text, gen bigint, customer_id uuid, partner_status text,
                  customer_status text, management_type text, secret_id uuid, expires_at timestamptz)""",
        """update key_secrets set used_at = at
            where hash = secret and (used_at is null or used_at < at - interval '1 minute') and (expires_at is null or expires_at > at);
           select u.partner_id, u.id, u.kind, u.status, u.gen, u.customer_id, p.status, null::text, null::text, s.id, s.expires_at
             from key_secrets s
             join users u on u.partner_id = s.partner_id and u.id = s.user_id
             join partners p on p.partner_id = u.partner_id and p.id = u.partner_id
            where s.hash = secret""",
    )
    schema.door_function(
        "put_key_secret(holder uuid, secret bytea, key uuid, ends_with text, at timestamptz, until timestamptz)",
        "void",
        f"""insert into key_secrets (hash, id, partner_id, user_id, ending, created_at, expires_at)
            select secret, key, u.partner_id, u.id, ends_with, at, until from users u
             where u.partner_id = {schema.TENANT} and u.id = holder and u.kind = 'service'""",  # noqa: S608 (constants)
        to=("partner",),
    )
    schema.door_function(
        "retire_key_secrets(holder uuid, at timestamptz, until timestamptz)",
        "void",
        f"""delete from key_secrets where {_KEY} and least(expires_at, until) <= at;
            update key_secrets set expires_at = least(expires_at, until) where {_KEY}""",  # noqa: S608 (constants)
        to=("partner",),
    )
    schema.door_function(
        "key_secrets_of(at timestamptz)",
        """table (user_id uuid, id uuid, ending text, created_at timestamptz, expires_at timestamptz, used_at timestamptz)""",
        f"""select user_id, id, ending, created_at, expires_at, used_at from key_secrets
             where partner_id = {schema.TENANT} and (expires_at is null or expires_at > at)
             order by created_at, id""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
