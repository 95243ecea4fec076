"""Domains of single sign-on: which count, each for one connection in the installation (MKT-18).

The partner's state says which are its own. Lock the connection first: its row comes before the partner's.
"""

from collections.abc import Set as AbstractSet
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from chassis.database.audit import Subject
from chassis.http.etags import Seen
from contracts.customers.partners import PartnerUpdated
from customers.errors.single_sign_on import ConnectionNotFound, DomainTaken
from customers.rules.holding import hold_partner
from customers.rules.telling import tell_partner
from customers.tables.sso_connections import SsoConnection


async def hold(tx: Transaction, connection_id: UUID) -> SsoConnection:
    """The connection, for a change of it or of its domains.

    Raises:
        ConnectionNotFound: there is none.
    """
    found = select(SsoConnection).where(SsoConnection.partner_id == tx.partner_id, SsoConnection.id == connection_id)
    connection = (await tx.session.scalars(found.with_for_update())).one_or_none()
    if connection is None:
        raise ConnectionNotFound
    return connection


async def count(tx: Transaction, connection: SsoConnection, domain: str) -> None:
    """Let a domain count for the connection; one that does already stays as it is.

    Raises:
        DomainTaken: it is another's, or nobody asked for it.
    """
    if domain in connection.verified:
        return
    if domain not in connection.domains:
        raise DomainTaken
    if not (await tx.session.execute(select(func.door.take_sso_domain(domain, connection.id)))).scalar_one():
        raise DomainTaken
    await _become(tx, connection, {*connection.verified, domain})


async def end(tx: Transaction, connection: SsoConnection, domain: str) -> None:
    """Let a domain count no longer: it is free again. For workers."""
    await tx.session.execute(select(func.door.leave_sso_domain(domain, connection.id)))
    await _become(tx, connection, {*connection.verified} - {domain})


async def say(tx: Transaction, connection: SsoConnection, *, before: AbstractSet[str], after: AbstractSet[str]) -> None:
    """Tell which domains are the partner's, when others count for a connection than before."""
    partner = await hold_partner(tx, Seen(None))
    domains = sorted(({*partner.sign_in_domains} - before) | after)
    if domains == partner.sign_in_domains:
        return
    partner.sign_in_domains = domains
    partner.updated_at = tx.now
    await tx.session.flush()
    tell_partner(tx, partner, PartnerUpdated(fields=["sign_in_domains"]))
    if tx.principal is not None:
        was, now = {"verified": sorted(before)}, {"verified": sorted(after)}
        tx.note(Subject(type="sso_connection", id=connection.id, before=was, after=now))


async def _become(tx: Transaction, connection: SsoConnection, verified: AbstractSet[str]) -> None:
    before = {*connection.verified}
    connection.verified = sorted(verified)
    connection.updated_at = tx.now
    await tx.session.flush()
    await say(tx, connection, before=before, after=verified)
