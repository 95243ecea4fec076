"""Consents as they are shown: how each stands, and each of its entries in the ledger (BEY-14).

What another partner has asked of the customer is no affair of the one that manages it.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import FromClause, Select, bindparam, or_, select

from chassis.database import Read, Reading
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from chassis.principal import PARTNERS
from contracts.customers.consents import ConsentKind, ConsentState
from customers.errors.consents import ConsentNotFound
from customers.tables.consents import Consent, ConsentEntry


class ConsentView(View, frozen=True, kw_only=True):
    """What a customer was asked for and how that stands.

    `scope` says what exactly; `expires_at` when the request, or what was granted, ends.
    """

    id: UUID
    version: int
    customer_id: UUID
    kind: ConsentKind
    state: ConsentState
    scope: Stored[dict[str, JsonValue]]
    asked_by_partner_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None


class ConsentEntryView(View, frozen=True, kw_only=True):
    """An entry of the customer's chain. Each `hash` is over everything that the entry says and the hash of the one before."""

    number: int
    state: ConsentState
    at: datetime
    expires_at: datetime | None
    evidence: Stored[dict[str, JsonValue]]
    hash: str


class ConsentHistoryView(ConsentView, frozen=True, kw_only=True):
    """A consent with its entries, the first one first."""

    entries: list[ConsentEntryView]


def _build(relation: FromClause, given: Given) -> Select[Any]:
    mine = select(*ConsentView.columns(relation)).where(relation.c.customer_id == bindparam("customer_id"))
    mine = mine.where(*(relation.c[name] == bindparam(name) for name in ("kind", "state") if name in given))
    return mine.where(_shown_to_partner(relation)) if "partner" in given else mine


def _shown_to_partner(relation: FromClause) -> Any:
    return or_(relation.c.kind != "import", relation.c.asked_by_partner_id == bindparam("partner"))


def _one(relation: FromClause, given: Given) -> Select[Any]:
    mine = select(*ConsentView.columns(relation)).where(
        relation.c.customer_id == bindparam("customer_id"), relation.c.id == bindparam("id")
    )
    return mine.where(_shown_to_partner(relation)) if "partner" in given else mine


def _entries(relation: FromClause, _shape: object) -> Select[Any]:
    mine = relation.c.consent_id == bindparam("id")
    return select(*ConsentEntryView.columns(relation)).where(mine).order_by(relation.c.number).limit(100)


_SORTS: Final = Sorts({"asked_at": ("asked_at", datetime)}, default="-asked_at", last=("id", UUID))
_CONSENTS: Final = Paged(Consent, ConsentView, _SORTS, build=_build, customer="customer_id")
_CONSENT: Final = Reading(Consent, _one, customer="customer_id")
_HISTORY: Final = Reading(ConsentEntry, _entries, customer="customer_id")


async def page(
    read: Read, customer_id: UUID, wanted: Wanted, *, kind: ConsentKind | None = None, state: ConsentState | None = None
) -> Listing[ConsentView]:
    """What a customer was asked for, the newest first."""
    return await _CONSENTS.page(read, wanted, customer_id=customer_id, kind=kind, state=state, partner=_partner(read))


async def one(read: Read, customer_id: UUID, consent_id: UUID) -> ConsentHistoryView:
    """A consent and how it came to stand as it does.

    Raises:
        ConsentNotFound: there is none that the reader sees.
    """
    reader = {"partner": partner} if (partner := _partner(read)) else {}
    row = await read.row(_CONSENT, frozenset(reader), customer_id=customer_id, id=consent_id, **reader)
    if row is None:
        raise ConsentNotFound
    entries = await read.rows(_HISTORY, id=consent_id)
    return ConsentHistoryView.of(row, entries=[ConsentEntryView.of(entry, hash=entry["hash"].hex()) for entry in entries])


def _partner(read: Read) -> UUID | None:
    """The partner that is shown what others asked for neither in a list nor by its id; None for who sees all."""
    return read.partner_id if read.principal.kind in PARTNERS else None
