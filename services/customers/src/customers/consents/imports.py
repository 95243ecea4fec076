"""Imports: a partner asks to manage a customer that exists already, knowing nothing but an address (CUS-42 to CUS-44).

What the partner is answered and shown is the same whether the address is anybody's or not: who it
is, is looked up afterwards, by a worker (``import_work``). A customer of its own that is hidden from
whoever asks is nobody's to it (CUS-85).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from chassis import due
from chassis.database import Read, Reading, Transaction
from chassis.http.lists import Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.customers.customers import ManagementType
from contracts.customers.imports import CustomerImportRequested
from customers.errors.consents import ImportedAlready, ImportNotFound, ImportOpen
from customers.rules import asking, policies, sight
from customers.rules.advice import AUTHORISATION
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.constraints import broken
from customers.rules.importing import ASK, EXPIRE, tell_import
from customers.tables.imports import Import

type ImportStatus = Literal["requested", "imported", "declined", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestImport:
    """``management_type`` None leaves it as it is."""

    email: str
    management_type: ManagementType | None = None


class ImportView(View, frozen=True, kw_only=True):
    """An import: who was asked and when, and what came of it. `customer_id` is known once it was imported."""

    id: UUID
    version: int
    email: str
    status: ImportStatus
    reason: Literal["customer", "duplicate_company", "not_served"] | None
    management_type: ManagementType | None
    customer_id: UUID | None
    requested_at: datetime
    updated_at: datetime
    expires_at: datetime


class ImportsView(View, frozen=True, kw_only=True):
    """Imports, and the `advice` that goes with asking for one (CUS-50)."""

    items: list[ImportView]
    next: str | None
    as_of: datetime
    advice: str


async def request(tx: Transaction, command: RequestImport) -> Import:
    """Ask whoever has this address to let the partner manage its account.

    Raises:
        ImportedAlready: it is the partner's own customer's.
        ImportOpen: the partner has asked it already and waits for the answer.
    """
    key = command.email.lower()
    own: UUID | None = await tx.session.scalar(select(func.door.own_account(key, type_=Uuid)))
    if own is not None and await sight.sees(tx, own):
        raise ImportedAlready(errors=[ImportedAlready.at("/email")], customer_id=str(own))
    rules = await policies.in_force(tx, ConsentPolicy)
    one = Import(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        email=command.email,
        email_key=key,
        status="requested",
        management_type=command.management_type,
        requested_by=tx.principal.user_id if tx.principal else None,
        requested_at=tx.now,
        updated_at=tx.now,
        expires_at=tx.now + rules.policy.request_expires,
    )
    tx.session.add(one)
    await _settle(tx)
    tell_import(tx, one, CustomerImportRequested(email=one.email, management_type=command.management_type, expires_at=one.expires_at))
    await due.plan(tx, ASK, one.id, slot="import", at=tx.now, payload=asking.by_caller(tx))
    await due.plan(tx, EXPIRE, one.id, slot="import", at=one.expires_at)
    return one


async def _settle(tx: Transaction) -> None:
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        if broken(refused) == "imports_one_open":
            raise ImportOpen(errors=[ImportOpen.at("/email")]) from refused
        raise


_OFFERED: Final = {"requested_at": ("requested_at", datetime), "updated_at": ("updated_at", datetime), "email": ("email_key", str)}
_SORTS: Final = Sorts(_OFFERED, default="-requested_at", last=("id", UUID))
_IMPORTS: Final = Paged(Import, ImportView, _SORTS)
_ONE: Final = Reading(Import, lambda r, _shape: select(*ImportView.columns(r)).where(r.c.id == bindparam("id")))


async def page(read: Read, wanted: Wanted, *, status: ImportStatus | None = None) -> ImportsView:
    """What the partner has asked for (CUS-44), and how it is best done."""
    listed = await _IMPORTS.page(read, wanted, status=status)
    return ImportsView(items=listed.items, next=listed.next, as_of=listed.as_of, advice=AUTHORISATION)


async def one(read: Read, import_id: UUID) -> ImportView:
    """One import.

    Raises:
        ImportNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=import_id)
    if row is None:
        raise ImportNotFound
    return ImportView.of(row)
