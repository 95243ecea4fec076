"""Connections of requests: they log in as ``<service>_api`` and can do nothing until they take a tenant's role.

Changes run on an SQLAlchemy session, reads on raw connections (``readers``). The tenant is set in the
transaction's first statement and never outside one, so a connection that goes back to its pool
carries none.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.clock import Clock
from chassis.database import audit, driver, outbox, pools
from chassis.database.audit import Subject
from chassis.database.clocks import PartnerClock, clock_of
from chassis.database.heads import pending
from chassis.database.logins import refuse_mighty
from chassis.database.outbox import Lane
from chassis.database.readers import Connection, Readers
from chassis.database.reading import Read
from chassis.database.settings import DatabaseSettings
from chassis.database.transaction import Origin, Transaction
from chassis.database.watching import WatchedAsyncSession
from chassis.principal import Principal

ENTER: Final = text(
    "select set_config('role', :role, true), set_config('app.partner', :partner, true), set_config('app.actor', :actor, true),"
    " set_config('app.principal', :user, true), set_config('app.customer', :customer, true), c.ahead, c.standing_at"
    " from (select) one left join door.clock_of(cast(cast(:partner as text) as uuid)) c on true"
)
"""A change's first statement: takes the role, says whose transaction it is, and answers the partner's clock. ``entry`` gives parameters."""
_ENDS_WITHIN: Final = 5.0
_ROLES: Final = {"partner": "partner", "service": "partner", "customer": "portal", "operator": "operator"}


def role_of(principal: Principal) -> str:
    """The role a principal takes: an operator that acts as a partner is one, for all that it changes and reads."""
    return "partner" if principal.kind == "operator" and principal.acting_as else _ROLES[principal.kind]


class Correlated(Protocol):
    """What ties a request to what it causes, and what the audit says of it."""

    @property
    def request_id(self) -> str: ...
    @property
    def traceparent(self) -> str | None: ...
    @property
    def operation(self) -> str: ...
    @property
    def address(self) -> str | None: ...


class ApiDatabase:
    """The database as requests see it. Open it once per process."""

    def __init__(self, settings: DatabaseSettings, clock: Clock, *, connections: int = 8) -> None:
        self._settings = settings
        self._clock = clock
        self._engine = create_async_engine(
            driver.url(settings, "api"),
            async_creator=partial(driver.connect, **driver.reached(settings, "api")),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "checkout", _refuse_closed)
        self._connections = connections
        self._readers = Readers(partial(driver.connect, **self._reader()), connections)

    @property
    def secret(self) -> bytes:
        """What every process of the service has and no backup holds, for hashes of what could be guessed."""
        return hashlib.sha256(f"{self._settings.service} {self._settings.password('api')}".encode()).digest()

    async def open(self) -> None:
        """Connect, and refuse a login that could lift row-level security."""
        async with self._readers.lent() as connection:
            await refuse_mighty(connection, service=self._settings.service)
        async with self._engine.connect():
            """What SQLAlchemy asks of its first connection, it asks now."""
        pools.show("changes", self._engine.pool.checkedout, self._connections)  # type: ignore[attr-defined]  # as QueuePool has it
        pools.show("reads", lambda: self._readers.in_hand, self._connections)

    async def close(self) -> None:
        pools.hide("changes")
        pools.hide("reads")
        await self._readers.close()
        await self._engine.dispose()

    async def ping(self) -> None:
        """Whether a read and a change would get a connection, and an answer (readiness)."""
        async with self._readers.lent() as connection:
            await connection.execute("select 1")
        async with self._engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def pending(self, migrations: Path | None) -> list[str]:
        """Version tables that are behind this code (readiness)."""
        async with self._readers.lent() as connection:
            return await pending(connection, migrations)

    @asynccontextmanager
    async def change(
        self,
        principal: Principal,
        *,
        correlation: Correlated | None = None,
        lane: Lane = Lane.USUAL,
        clock: PartnerClock | None = None,
        role: str | None = None,
    ) -> AsyncIterator[Transaction]:
        """Change rows as one principal. Leaving it without an exception commits; what was told is written first.

        ``role`` is another than the principal's own, for what a customer's user changes and the portal only reads.

        Bulk work says ``lane=Lane.BULK``. ``clock`` is what customers has just said of the partner's, which may not be known here yet.
        """
        async with WatchedAsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            entered = await session.execute(ENTER, entry(self._settings.service, principal, role))
            clock = clock_of(entered.mappings().one()) or clock
            now = self._clock.now()
            origin = Origin(
                source=f"/{self._settings.service}",
                real_now=now,
                correlation_id=correlation.request_id if correlation else None,
                traceparent=correlation.traceparent if correlation else None,
                sandbox=clock is not None,
                lane=lane,
                operation=correlation.operation if correlation else "unnamed",
                address=correlation.address if correlation else None,
            )
            business = clock.now(now) if clock else now
            tx = Transaction(session, partner_id=principal.tenant, now=business, origin=origin, principal=principal)
            yield tx
            await tx.conclude()
            await audit.write(session, tx.audited)
            await outbox.write(session, tx.told)

    async def note(
        self, principal: Principal, subject: Subject | None = None, *, correlation: Correlated | None, denied: str | None = None
    ) -> None:
        """Put into the audit, in a transaction of its own, what changes nothing here: a sign-in, a look in another's name, an attempt."""
        async with self.change(principal, correlation=correlation) as tx:
            tx.note(subject, denied=denied)

    @asynccontextmanager
    async def read(self, principal: Principal) -> AsyncIterator[Read]:
        """Read as one principal: one message opens the transaction, takes the role and sets the tenant."""
        connection = await self._readers.take()
        try:
            await connection.execute(_opening(entry(self._settings.service, principal)))
            yield Read(connection, role=role_of(principal), principal=principal, now=self._clock.now())
            await connection.execute("COMMIT")
        except BaseException:  # also when the request is given up
            await _undo(connection)
            raise
        finally:
            self._readers.give(connection)

    @asynccontextmanager
    async def at_the_door(self) -> AsyncIterator[AsyncConnection]:
        """A transaction before any tenant is known: it can only execute the door functions."""
        async with self._engine.begin() as connection:
            yield connection

    def _reader(self) -> dict[str, Any]:
        """How a connection for reads is made."""
        named = {"application_name": f"{self._settings.service} api"}
        return {**driver.reached(self._settings, "api"), "timeout": _ENDS_WITHIN, "server_settings": named}


def entry(service: str, principal: Principal, role: str | None = None) -> dict[str, str]:
    """What a principal's transaction says of itself; its policies read it back."""
    return {
        "role": f"{service}_{role or role_of(principal)}",
        "partner": str(principal.tenant),
        "actor": str(principal.partner_id),
        "user": str(principal.user_id),
        "customer": str(principal.customer_id or ""),
    }


def _opening(said: dict[str, str]) -> str:
    """Role names come from the service's name and UUIDs from ``UUID`` values, so the text holds nothing of a user's."""
    return (
        f"BEGIN READ ONLY; SET LOCAL ROLE {said['role']}; SET LOCAL app.partner = '{said['partner']}';"
        f" SET LOCAL app.actor = '{said['actor']}'; SET LOCAL app.principal = '{said['user']}';"
        f" SET LOCAL app.customer = '{said['customer']}'"
    )


def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server closed while it was idle is made anew; no request learns of it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def _undo(connection: Connection) -> None:
    """End a read that failed or was given up. Where even that fails the connection is closed, and the first failure is the one told."""
    ended = False
    try:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.execute("ROLLBACK", timeout=_ENDS_WITHIN)
            ended = True
    finally:
        if not ended:
            connection.terminate()
