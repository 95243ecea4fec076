"""What a login may not be.

A process that serves requests or consumes events must be unable to lift row-level security.
It refuses to start with a login that owns a table, is superuser, bypasses row-level security
or may become the owner: a wrong password in a deployment would otherwise switch tenancy off.
"""

from typing import Any, Final

import asyncpg

type Connection = asyncpg.Connection[Any]

_TOO_MIGHTY: Final = """
select r.rolsuper as superuser,
       r.rolbypassrls as bypasses,
       pg_has_role(current_user, $1::name, 'MEMBER') as may_become_owner,
       exists (select from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p', 'v', 'm')) as owns
  from pg_roles r
 where r.rolname = current_user
"""


class LoginTooMighty(RuntimeError):
    """The login could lift row-level security; give the process its own login."""


async def refuse_mighty(connection: Connection, *, service: str) -> None:
    """Refuse a login that could lift row-level security (design: tenancy).

    Raises:
        LoginTooMighty: names what the login may do.
    """
    row = await connection.fetchrow(_TOO_MIGHTY, f"{service}_owner")
    might = [name for name, holds in row.items() if holds] if row else ["is unknown"]
    if might:
        user = await connection.fetchval("select current_user")
        raise LoginTooMighty(f"login {user} must not run this process: {', '.join(might)}. Use {service}_api and {service}_worker.")
