"""Correspondence: what was mailed to whom, and what became of it, newest first.

A partner's users see what concerns customers they may see, and what was written to colleagues;
operators see it of every partner.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Page, Sort, Sorts
from contracts.notifications.notifications import RecipientRole
from notifications.tables.mails import Mail

type MailState = Literal["pending", "sent", "failed", "suppressed"]

SORTS: Final = Sorts({"created_at": ("created_at", datetime), "state": ("state", str)}, default="-created_at", last=("id", UUID))


class MailItem(msgspec.Struct, frozen=True):
    """``reason`` says why a mail failed, or by which rule it was held back."""

    id: UUID
    partner_id: UUID
    customer_id: UUID | None
    template: str
    recipient: RecipientRole
    user_id: UUID
    address: str
    language: str
    subject: str | None
    state: MailState
    reason: str | None
    attempts: int
    message_id: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    customer_id: UUID | None = None
    state: MailState | None = None
    sort: str | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class _Shape:
    sort: Sort
    begun: bool
    filters: tuple[str, ...]


def _build(mails: FromClause, shape: _Shape) -> Select[tuple[object, ...]]:
    page = select(*(mails.c[name] for name in MailItem.__struct_fields__)).order_by(*shape.sort.order(mails)).limit(bindparam("limit"))
    for name in shape.filters:
        page = page.where(mails.c[name] == bindparam(name, type_=mails.c[name].type))
    return page.where(shape.sort.after(mails)) if shape.begun else page


_PAGE: Final = Reading(Mail, _build, customer="customer_id")


async def page(read: Read, wanted: Wanted) -> Page[MailItem]:
    """One page of what was mailed."""
    sort = SORTS.read(wanted.sort)
    behind = sort.read(wanted.cursor)
    filters = {name: value for name, value in (("customer_id", wanted.customer_id), ("state", wanted.state)) if value is not None}
    shape = _Shape(sort, bool(behind), tuple(filters))
    rows = await read.rows(_PAGE, shape, limit=wanted.limit + 1, **filters, **behind)
    return Page.cut(rows, _item, sort=sort, limit=wanted.limit, as_of=read.now)


def _item(row: asyncpg.Record) -> MailItem:
    return MailItem(**row)
