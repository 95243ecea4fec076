"""Connections: where a partner's users sign in, for which domains, and what becomes of those whom nobody has added yet (MKT-18).

A domain counts once the operator has confirmed that it is the partner's, or its DNS has (``proofs``), and for one connection
in the installation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select

from chassis.database import Read, Reading, Transaction
from chassis.http.etags import Seen
from chassis.http.lists import Listing
from chassis.http.views import View
from customers.rules import roles, sign_in_domains
from customers.rules.sealing import Sealer
from customers.tables.domain_proofs import DomainProof
from customers.tables.sso_connections import SsoConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """``new_users`` are the roles of users that a first sign-in makes; none makes none."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    domains: tuple[str, ...]
    new_users: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDomain:
    connection_id: UUID
    seen: Seen
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePasswords:
    connection_id: UUID
    seen: Seen
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    connection_id: UUID
    seen: Seen


class SsoConnectionView(View, frozen=True, kw_only=True):
    """A connection. `verified` are the domains whose users sign in by it; with `passwords_closed` in no other way."""

    id: UUID
    version: int
    issuer: str
    client_id: str
    redirect_uri: str
    domains: list[str]
    verified: list[str]
    new_users: list[UUID]
    passwords_closed: bool
    created_at: datetime


_ALL: Final = Reading(
    SsoConnection,
    lambda r, _shape: select(*SsoConnectionView.columns(r)).where(r.c.partner_id == bindparam("of")).order_by(r.c.created_at, r.c.id),
)


async def connect(tx: Transaction, command: Connect, sealer: Sealer) -> SsoConnection:
    """Make a connection.

    Raises:
        RoleNotFound: a role is not one of the partner's.
    """
    await roles.lock_named(tx, command.new_users)
    connection = SsoConnection(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        issuer=command.issuer,
        client_id=command.client_id,
        redirect_uri=command.redirect_uri,
        domains=sorted(set(command.domains)),
        verified=[],
        new_users=list(command.new_users),
        passwords_closed=False,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(connection)
    await tx.session.flush()
    sealed = sealer.seal(command.client_secret.encode(), connection.id)
    await tx.session.execute(select(func.door.put_sso_secret(connection.id, sealed)))
    return connection


async def verify(tx: Transaction, command: VerifyDomain) -> SsoConnection:
    """Confirm that a domain is the partner's: the operator's word, which no look-up ends.

    Raises:
        ConnectionNotFound: there is none.
        DomainTaken: it is another's, or nobody asked for it.
    """
    connection = await _hold(tx, command.connection_id, command.seen)
    await sign_in_domains.count(tx, connection, command.domain)
    proof = (DomainProof.partner_id == tx.partner_id, DomainProof.connection_id == connection.id, DomainProof.domain == command.domain)
    await tx.session.execute(delete(DomainProof).where(*proof))
    return connection


async def close_passwords(tx: Transaction, command: ClosePasswords) -> SsoConnection:
    """Close passwords for the users of the connection's domains, or open them again.

    Raises:
        ConnectionNotFound: there is none.
    """
    connection = await _hold(tx, command.connection_id, command.seen)
    connection.passwords_closed = command.closed
    connection.updated_at = tx.now
    await tx.session.flush()
    return connection


async def disconnect(tx: Transaction, command: Disconnect) -> None:
    """End a connection; its domains are free again, and its users sign in by password.

    Raises:
        ConnectionNotFound: there is none.
    """
    connection = await _hold(tx, command.connection_id, command.seen)
    await tx.session.delete(connection)
    await tx.session.flush()
    await sign_in_domains.say(tx, connection, before={*connection.verified}, after=set())


async def every(read: Read) -> Listing[SsoConnectionView]:
    """The connections of the partner."""
    rows = await read.rows(_ALL, of=read.partner_id)
    return Listing.whole([SsoConnectionView.of(row) for row in rows], as_of=read.real_now)


async def _hold(tx: Transaction, connection_id: UUID, seen: Seen) -> SsoConnection:
    connection = await sign_in_domains.hold(tx, connection_id)
    seen.admit(connection.version)
    return connection
