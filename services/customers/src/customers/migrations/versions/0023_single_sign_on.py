"""Single sign-on: connections, their secrets and domains behind the door, and sign-ins that were begun."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0023"
down_revision = "0022"


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=False)


def _to_connection(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "connection_id"],
            ["sso_connections.partner_id", "sso_connections.id"],
            name=f"{table}_connection",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.Index(f"{table}_connection", "partner_id", "connection_id"),
    )


def upgrade() -> None:
    schema.create(
        "tenant",
        "sso_connections",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        *map(_text, ("issuer", "client_id", "redirect_uri")),
        sa.Column("domains", ARRAY(sa.Text), nullable=False),
        sa.Column("verified", ARRAY(sa.Text), nullable=False),
        sa.Column("new_users", ARRAY(sa.Uuid), nullable=False),
        sa.Column("passwords_closed", sa.Boolean, nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="sso_connections_partner"),
    )
    schema.create("door", "sso_secrets", sa.Column("sealed", sa.LargeBinary, nullable=False), *_to_connection("sso_secrets"))
    schema.create("door", "sso_domains", sa.Column("domain", sa.Text, primary_key=True), *_to_connection("sso_domains"))
    schema.create(
        "door",
        "sso_states",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("binding", sa.LargeBinary, nullable=False),
        *_to_connection("sso_states"),
        *map(_text, ("nonce", "verifier")),
        _time("until"),
    )
    _functions_for_tenants()
    _functions_for_sign_in()


def _functions_for_tenants() -> None:
    mine = f"from sso_connections c where c.partner_id = {schema.TENANT} and c.id = connection"
    schema.door_function(
        "put_sso_secret(connection uuid, sealed bytea)",
        "void",
        f"insert into sso_secrets (sealed, partner_id, connection_id) select sealed, c.partner_id, c.id {mine}",
        to=("partner",),
    )
    schema.door_function(
        "take_sso_domain(wanted text, connection uuid)",
        "boolean",
        f"""insert into sso_domains (domain, partner_id, connection_id) select wanted, c.partner_id, c.id {mine} on conflict do nothing;
            select exists (select from sso_domains d where d.domain = wanted and d.connection_id = connection)""",  # noqa: S608 (constants)
        to=("partner",),
    )


def _functions_for_sign_in() -> None:
    about = "c.partner_id, c.id, c.issuer, c.client_id, c.redirect_uri, s.sealed, c.verified, c.new_users, p.language"
    types = """partner_id uuid, connection_id uuid, issuer text, client_id text, redirect_uri text, sealed bytea, verified text[],
               new_users uuid[], language text"""
    joined = """join sso_secrets s on s.partner_id = c.partner_id and s.connection_id = c.id
                join partners p on p.partner_id = c.partner_id and p.id = c.partner_id"""
    schema.door_function(
        "find_sso(wanted text)",
        f"table ({types})",
        f"""select {about} from sso_domains d
              join sso_connections c on c.partner_id = d.partner_id and c.id = d.connection_id {joined}
             where d.domain = wanted""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "open_sso_state(state bytea, bound bytea, connection uuid, partner uuid, said text, proof text, at timestamptz,"
        " good_until timestamptz)",
        "void",
        """delete from sso_states where until < at;
           insert into sso_states (hash, binding, partner_id, connection_id, nonce, verifier, until)
           values (state, bound, partner, connection, said, proof, good_until)""",
    )
    schema.door_function(
        "use_sso_state(state bytea, bound bytea, at timestamptz)",
        f"table ({types}, nonce text, verifier text)",
        f"""with used as (delete from sso_states where hash = state and binding = bound and until > at returning *)
            select {about}, u.nonce, u.verifier from used u
              join sso_connections c on c.partner_id = u.partner_id and c.id = u.connection_id {joined}""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "find_sso_user(partner uuid, login text)",
        """table (partner_id uuid, user_id uuid, kind text, status text, gen bigint, customer_id uuid, partner_status text,
                  customer_status text, management_type text)""",
        """select u.partner_id, u.id, u.kind, u.status, u.gen, u.customer_id, p.status, null::text, null::text
             from logins l
             join users u on u.partner_id = l.partner_id and u.id = l.user_id
             join partners p on p.partner_id = u.partner_id and p.id = u.partner_id
            where l.email_key = login and l.partner_id = partner and u.kind in ('partner', 'operator')""",
    )
    schema.door_function(
        "passwords_closed(login text)",
        "boolean",
        """select exists (
               select from sso_domains d
                 join sso_connections c on c.partner_id = d.partner_id and c.id = d.connection_id and c.passwords_closed
                 join logins l on l.email_key = login and l.partner_id = d.partner_id
                 join users u on u.partner_id = l.partner_id and u.id = l.user_id and u.kind in ('partner', 'operator')
                where d.domain = split_part(login, '@', 2))""",
    )
