"""Identity: what a session is known by, tries that are counted, second factors, changes of address, how users want to be reached."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0008"
down_revision = "0007"

_TENANTS = ("partner", "portal", "operator")
_SELF = f"partner_id = {schema.ACTOR} and user_id = {schema.USER}"
_OWN_OR_STAFF = f"partner_id = {schema.TENANT} and ({schema.CUSTOMER} is null or user_id = {schema.USER})"


def upgrade() -> None:
    _users()
    _partners()
    _sessions()
    _functions_for_sessions()
    _attempts()
    _challenges()
    _second_factors()
    _functions_for_second_factors()
    _email_changes()
    _passwords()


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_user(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "user_id"],
            ["users.partner_id", "users.id"],
            name=f"{table}_user",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )


def _users() -> None:
    """Whoever signs in at a customer changes its own row and no other."""
    op.add_column("users", sa.Column("contacts", JSONB, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("users", sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("email_change", JSONB(none_as_null=True)))
    names = "partner_id id version customer_id kind status gen name email language role_ids created_at updated_at"
    schema.read_views("users", [*names.split(), "contacts", "second_factor", "email_change"], portal="customer_id")
    columns = "partner_id, id, version, kind, status, gen, customer_id, role_ids, second_factor"
    schema.access_view("access_users", f"select {columns} from users")  # noqa: S608 (constants)
    portal = f"{schema.service()}_portal"
    own = f"partner_id = {schema.TENANT} and id = {schema.USER}"
    op.execute(f"create policy users_own on users for update to {portal} using ({own}) with check ({own})")
    changed = "name, language, email, gen, contacts, second_factor, email_change, version, updated_at"
    op.execute(f"grant update ({changed}) on users to {portal}")


def _partners() -> None:
    for name in ("second_factor", "second_factor_below"):
        op.add_column("partners", sa.Column(name, sa.Text, nullable=False, server_default="optional"))
    names = "partner_id id version name name_key country status parent_id ancestors shut_out sandbox language time_zone support"
    more = ("registered_at", "updated_at", "ahead_seconds", "second_factor", "second_factor_below")
    schema.read_views("partners", [*names.split(), *more])
    columns = "partner_id, id, version, ancestors, status, shut_out, second_factor, second_factor_below"
    schema.access_view("access_partners", f"select {columns} from partners")  # noqa: S608 (constants)
    schema.second_factor_door("partners")


def _sessions() -> None:
    op.add_column("sessions", _time("ends_at", nullable=True))
    op.add_column("sessions", _time("used_at", nullable=True))
    op.add_column("sessions", sa.Column("agent", sa.Text))
    op.add_column("sessions", sa.Column("address", sa.Text))
    schema.door_function(
        "begin_session(session uuid, partner uuid, holder uuid, holder_gen bigint, token bytea, at timestamptz, until timestamptz,"
        " ends timestamptz, device text, origin text)",
        "boolean",
        """with opened as (
               insert into sessions (id, partner_id, user_id, gen, started_at, used_at, ends_at, agent, address)
               select session, u.partner_id, u.id, u.gen, at, at, ends, device, origin from users u
                where u.partner_id = partner and u.id = holder and u.gen = holder_gen and u.status = 'active'
               returning id),
           first as (insert into refresh_tokens (hash, session_id, expires_at) select token, id, least(until, ends) from opened returning 1)
           select exists (select from first)""",
    )
    schema.door_function(
        "rotate_refresh(old bytea, new bytea, at timestamptz, until timestamptz)",
        "boolean",
        """with used as (update refresh_tokens set used_at = at where hash = old and used_at is null returning session_id),
           gone as (delete from refresh_tokens r using used where r.session_id = used.session_id and r.expires_at < at),
           on_its_way as (update sessions s set used_at = at from used where s.id = used.session_id returning s.id, s.ends_at),
           next as (insert into refresh_tokens (hash, session_id, expires_at)
                    select new, id, least(until, ends_at) from on_its_way returning 1)
           select exists (select from next)""",
    )


def _functions_for_sessions() -> None:
    """A user's sessions are its own business; at a partner those who manage users see them too."""
    schema.door_function(
        "sessions_of(holder uuid, at timestamptz)",
        "table (id uuid, started_at timestamptz, used_at timestamptz, ends_at timestamptz, agent text, address text)",
        f"""select s.id, s.started_at, coalesce(s.used_at, s.started_at), max(r.expires_at), s.agent, s.address
              from sessions s
              join users u on u.partner_id = s.partner_id and u.id = s.user_id and u.gen = s.gen
              join refresh_tokens r on r.session_id = s.id and r.used_at is null and r.expires_at > at
             where s.user_id = holder and s.ended_at is null
               and s.{_OWN_OR_STAFF.replace("user_id", "s.user_id")}
             group by s.id order by 3 desc, s.id limit 200""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "end_sessions(holder uuid, chosen uuid, kept uuid, new_gen bigint, at timestamptz, why text)",
        "setof uuid",
        f"""with mine as (
                select id, (chosen is null or id = chosen) and id is distinct from kept as ending from sessions
                 where user_id = holder and ended_at is null and gen = new_gen - 1 and {_OWN_OR_STAFF}
                 order by id for update),
            on_their_way as (update sessions s set gen = new_gen from mine where s.id = mine.id and not mine.ending)
            update sessions s set ended_at = at, end_reason = why from mine where s.id = mine.id and mine.ending returning s.id""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "sign_out(session uuid, at timestamptz, why text)",
        "boolean",
        f"""with ended as (
                update sessions set ended_at = at, end_reason = why
                 where id = session and ended_at is null and {_SELF} returning 1)
            select exists (select from ended)""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "forget_sessions(before timestamptz)",
        "bigint",
        """with gone as (
               delete from sessions s
                where s.ended_at < before
                   or (s.started_at < before
                       and not exists (select from refresh_tokens r where r.session_id = s.id and r.expires_at >= before))
               returning 1)
           select count(*) from gone""",
        to=("worker",),
    )


def _attempts() -> None:
    """``attempt`` is a hash, so that nobody's address stands here; ``free`` tries cost nothing, each further one doubles the wait."""
    schema.create(
        "door",
        "attempts",
        sa.Column("attempt", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.BigInteger, nullable=False),
        _time("tried_at"),
        _time("good_at", nullable=True),
    )
    wait = "make_interval(secs => case when a.failures < free then 0 else least(2 ^ least(a.failures - free, 20), longest) end)"
    schema.door_function(
        "count_attempt(wanted bytea, at timestamptz, free bigint, longest bigint)",
        "bigint",
        f"""with counted as (
                insert into attempts as a (attempt, failures, tried_at) values (wanted, 1, at)
                on conflict (attempt) do update
                   set failures = case when a.tried_at < at - interval '1 day' then 1 else a.failures + 1 end, tried_at = at
                 where a.tried_at + {wait} <= at
                returning 1)
            select case when exists (select from counted) then 0 else coalesce((
                select greatest(1, ceil(extract(epoch from a.tried_at + {wait} - at)))::bigint
                  from attempts a where a.attempt = wanted), 1) end""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "attempt_good(wanted bytea, at timestamptz)",
        "void",
        "update attempts set failures = 0, good_at = at where attempt = wanted",
    )
    schema.door_function(
        "attempt_undone(wanted bytea)",
        "void",
        "update attempts set failures = greatest(failures - 1, 0) where attempt = wanted",
    )
    schema.door_function(
        "known_good(wanted bytea, since timestamptz)",
        "boolean",
        "select exists (select from attempts where attempt = wanted and good_at > since)",
    )
    schema.door_function(
        "forget_attempts(failed_before timestamptz, good_before timestamptz)",
        "bigint",
        """with gone as (
               delete from attempts where tried_at < failed_before and (good_at is null or good_at < good_before) returning 1)
           select count(*) from gone""",
        to=("worker",),
    )


def _challenges() -> None:
    """Between a right password and the code: good for minutes, and once."""
    schema.create(
        "door",
        "challenges",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        *_of_user("challenges"),
        sa.Column("gen", sa.BigInteger, nullable=False),
        _time("expires_at"),
        sa.Index("challenges_of_user", "partner_id", "user_id"),
    )
    schema.door_function(
        "open_challenge(token bytea, partner uuid, holder uuid, holder_gen bigint, at timestamptz, until timestamptz)",
        "void",
        """delete from challenges where partner_id = partner and user_id = holder and expires_at < at;
           insert into challenges (hash, partner_id, user_id, gen, expires_at) values (token, partner, holder, holder_gen, until)""",
    )
    who = """partner_id uuid, user_id uuid, kind text, status text, gen bigint, customer_id uuid, partner_status text,
             customer_status text, management_type text"""
    schema.door_function(
        "find_challenge(token bytea, at timestamptz)",
        f"table ({who}, email text)",
        """select u.partner_id, u.id, u.kind, u.status, u.gen, u.customer_id, p.status, c.status, c.management_type, u.email
             from challenges h
             join users u on u.partner_id = h.partner_id and u.id = h.user_id and u.gen = h.gen
             join partners p on p.partner_id = u.partner_id and p.id = u.partner_id
             left join customers c on c.partner_id = u.partner_id and c.id = u.customer_id
            where h.hash = token and h.expires_at > at""",
    )
    schema.door_function(
        "use_challenge(token bytea)",
        "boolean",
        "with used as (delete from challenges where hash = token returning 1) select exists (select from used)",
    )


def _second_factors() -> None:
    """``secret`` is sealed, ``recovery`` are hashes; ``last_step`` is the latest step whose code was used."""
    schema.create(
        "door",
        "second_factors",
        *_of_user("second_factors"),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        _time("confirmed_at", nullable=True),
        sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("recovery", ARRAY(sa.LargeBinary), nullable=False, server_default="{}"),
        sa.PrimaryKeyConstraint("partner_id", "user_id", name="second_factors_pkey"),
    )


def _functions_for_second_factors() -> None:
    mine = f"partner_id = partner and user_id = holder and (session_user = '{schema.service()}_api')"
    schema.door_function(
        "find_second_factor(partner uuid, holder uuid)",
        "table (secret bytea, confirmed_at timestamptz, last_step bigint, recovery_left bigint)",
        f"select secret, confirmed_at, last_step, cardinality(recovery) from second_factors where {mine}",  # noqa: S608 (constants)
    )
    schema.door_function(
        "use_step(partner uuid, holder uuid, step bigint)",
        "boolean",
        f"""with used as (update second_factors set last_step = step where {mine} and last_step < step returning 1)
            select exists (select from used)""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "use_recovery(partner uuid, holder uuid, code bytea)",
        "boolean",
        f"""with used as (update second_factors set recovery = array_remove(recovery, code)
                           where {mine} and code = any(recovery) returning 1)
            select exists (select from used)""",  # noqa: S608 (constants)
    )
    schema.door_function(
        "put_second_factor(sealed bytea)",
        "boolean",
        f"""with put as (
                insert into second_factors as f (partner_id, user_id, secret) values ({schema.ACTOR}, {schema.USER}, sealed)
                on conflict (partner_id, user_id) do update set secret = sealed where f.confirmed_at is null returning 1)
            select exists (select from put)""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "confirm_second_factor(step bigint, codes bytea[], at timestamptz)",
        "boolean",
        f"""with done as (update second_factors set confirmed_at = at, last_step = step, recovery = codes
                           where {_SELF} and confirmed_at is null returning 1)
            select exists (select from done)""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "put_recovery(codes bytea[])",
        "boolean",
        f"""with done as (update second_factors set recovery = codes where {_SELF} and confirmed_at is not null returning 1)
            select exists (select from done)""",  # noqa: S608 (constants)
        to=_TENANTS,
    )
    schema.door_function(
        "drop_second_factor(holder uuid)",
        "boolean",
        f"""with done as (delete from second_factors where user_id = holder and {_OWN_OR_STAFF} returning 1)
            select exists (select from done)""",  # noqa: S608 (constants)
        to=_TENANTS,
    )


def _email_changes() -> None:
    """``id`` is that of the link to the new address, ``undo_id`` that of the link to the old one."""
    schema.create(
        "tenant",
        "email_changes",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("undo_id", sa.Uuid, nullable=False),
        sa.Column("old_email", sa.Text, nullable=False),
        sa.Column("new_email", sa.Text, nullable=False),
        _time("expires_at"),
        _time("confirmed_at", nullable=True),
        _time("undo_until", nullable=True),
        _time("undone_at", nullable=True),
        *_of_user("email_changes")[2:],
        sa.Index("email_changes_id", "id", unique=True),
        sa.Index("email_changes_undo_id", "undo_id", unique=True),
        sa.Index("email_changes_of_user", "partner_id", "user_id"),
    )
    portal = f"{schema.service()}_portal"
    own = f"partner_id = {schema.TENANT} and user_id = {schema.USER}"
    op.execute(f"create policy email_changes_portal on email_changes for all to {portal} using ({own}) with check ({own})")
    op.execute(f"grant select, insert, update, delete on email_changes to {portal}")
    schema.door_function(
        "find_email_change(link uuid)",
        "table (partner_id uuid, user_id uuid, gen bigint, change_id uuid)",
        """select u.partner_id, u.id, u.gen, e.id from email_changes e
             join users u on u.partner_id = e.partner_id and u.id = e.user_id
            where link in (e.id, e.undo_id) and u.status <> 'disabled'""",
    )


def _passwords() -> None:
    """Whoever signs in at a customer puts its own password and nobody else's; a reset is asked for by anybody, about anybody."""
    schema.door_function(
        "set_password(partner uuid, holder uuid, hash text)",
        "boolean",
        f"""with changed as (
                update logins set password_hash = hash
                 where partner_id = partner and user_id = holder
                   and ({_OWN_OR_STAFF} or session_user = '{schema.service()}_worker')
                returning 1)
            select exists (select from changed)""",  # noqa: S608 (constants)
        to=("partner", "worker", "portal"),
    )
    schema.door_function(
        "find_password(partner uuid, holder uuid)",
        "table (password_hash text, email text, name text, company text)",
        """select l.password_hash, u.email, u.name, coalesce(c.name, p.name) from users u
             join logins l on l.partner_id = u.partner_id and l.user_id = u.id
             join partners p on p.partner_id = u.partner_id and p.id = u.partner_id
             left join customers c on c.partner_id = u.partner_id and c.id = u.customer_id
            where u.partner_id = partner and u.id = holder""",
    )
    schema.door_function(
        "ask_reset(login text, root uuid, request uuid, at timestamptz)",
        "void",
        """insert into due (partner_id, id, kind, subject, slot, due_at, retry_at, payload, sandbox)
           select coalesce(l.partner_id, root), request, 'credentials.reset', coalesce(l.user_id, request), 'reset',
                  coalesce(c.standing_at, at + c.ahead, at), at, '{}', c.partner_id is not null
             from (select login as wanted) asked
             left join logins l on l.email_key = asked.wanted and l.user_id is not null
             left join clocks c on c.partner_id = l.partner_id
               on conflict on constraint due_once_per_slot do nothing""",
    )
