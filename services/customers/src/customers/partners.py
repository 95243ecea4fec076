"""Partners: how one comes into being under another, with its roles and its first user, and how they are listed (CUS-69, CUS-71, CUS-81)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading, Transaction
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.customers.partners import PartnerAddress, SupportInfo
from contracts.root import ROOT_PARTNER_ID
from customers.errors import ParentNotFound, PartnerNotFound
from customers.rules.addresses import Address
from customers.rules.admission import Admission, admit
from customers.rules.founding import Founding, found
from customers.rules.tree import check_depth
from customers.tables.partners import Partner, Reseller
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUser:
    """Who gets Partner Administrator. Without a password a link is mailed to set one."""

    name: str
    email: str
    password_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Under whom a partner is registered: its id and its own ancestors, from the root down. Below a sandbox all is play."""

    id: UUID
    ancestors: tuple[UUID, ...]
    sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPartner:
    name: str
    country: str
    parent: Parent
    language: str
    time_zone: str
    support: SupportInfo
    address: Address | None = None
    admin: FirstUser
    sandbox: bool = False


async def register(tx: Transaction, command: RegisterPartner) -> tuple[Partner, User]:
    """Register the partner whose transaction this is, with its two roles and its first user.

    Raises:
        EmailTaken: the first user's address belongs to somebody else.
        TreeTooDeep: it would stand too far below the root party (C-9).
    """
    ancestors = (*command.parent.ancestors, command.parent.id)
    await check_depth(tx, ancestors)
    founding = Founding(
        name=command.name,
        country=command.country,
        language=command.language,
        time_zone=command.time_zone,
        support=command.support,
        address=command.address,
        ancestors=ancestors,
        sandbox=command.sandbox or command.parent.sandbox,
    )
    partner, roles = await found(tx, founding)
    return partner, await admit(tx, _first_user(tx, command, roles.partner_administrator.id))


def _first_user(tx: Transaction, command: RegisterPartner, role_id: UUID) -> Admission:
    admin = command.admin
    return Admission(
        kind="partner",
        name=admin.name,
        email=admin.email,
        language=command.language,
        user_id=tx.new_id(),
        role_ids=(role_id,),
        password_hash=admin.password_hash,
        link_id=None if admin.password_hash else tx.new_id(),
        pointer="/admin/email",
    )


class PartnerView(View, frozen=True, kw_only=True):
    """A partner. One that is `shut_out` has closed itself to those above it (MKT-05).

    `held_for` names the denied parties that it may be: then it rests until an operator enables it.
    """

    id: UUID
    version: int
    company_name: str
    country: str
    status: str
    parent_id: UUID | None
    sandbox: bool
    shut_out: bool
    language: str
    time_zone: str
    support: Stored[SupportInfo]
    address: Stored[PartnerAddress] | None
    held_for: list[str]
    registered_at: datetime


def _every(relation: FromClause) -> Select[Any]:
    return select(*PartnerView.columns(relation), relation.c.name)


_ONE: Final = Reading(Partner, lambda r, _shape: _every(r).where(r.c.id == bindparam("id")))
_BELOW: Final = Reading(Reseller, lambda r, _shape: _every(r).where(r.c.id == bindparam("id")))
_PARENT: Final = Reading(
    Partner, lambda r, _shape: select(r.c.id, r.c.ancestors, r.c.sandbox).where(r.c.id == bindparam("id"), r.c.status == "active")
)
_SORTS: Final = Sorts(
    {"company_name": ("name_key", str), "registered_at": ("registered_at", datetime)}, default="company_name", last=("id", UUID)
)
_PARTNERS: Final = Paged(Partner, PartnerView, _SORTS, build=lambda r, _given: _every(r))
_RESELLERS: Final = Paged(Reseller, PartnerView, _SORTS, build=lambda r, _given: _every(r))


async def parent(read: Read, partner_id: UUID | None) -> Parent:
    """The active partner under which another may be registered; the root party where none is named.

    Raises:
        ParentNotFound: there is none.
    """
    row = await read.row(_PARENT, id=partner_id or ROOT_PARTNER_ID)
    if row is None:
        raise ParentNotFound(errors=[ParentNotFound.at("/parent_id")])
    return Parent(id=row["id"], ancestors=tuple(row["ancestors"]), sandbox=row["sandbox"])


async def one(read: Read, partner_id: UUID) -> PartnerView:
    """A partner: the operator sees each, a partner itself and those directly below.

    Raises:
        PartnerNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=partner_id) or await read.row(_BELOW, id=partner_id)
    if row is None:
        raise PartnerNotFound
    return _view(row)


async def page(read: Read, wanted: Wanted) -> Listing[PartnerView]:
    return await _PARTNERS.page(read, wanted, view=_view)


async def resellers(read: Read, wanted: Wanted) -> Listing[PartnerView]:
    """The partners directly below the reader's, apart from its customers (CUS-69); for operators all but the root party."""
    return await _RESELLERS.page(read, wanted, view=_view)


def _view(row: Any) -> PartnerView:
    return PartnerView.of(row, company_name=row["name"])


def shown(partner: Partner) -> PartnerView:
    """A partner that was just registered, as ``one`` answers it."""
    return PartnerView.of_entity(partner, company_name=partner.name)
