"""Drafts: a customer's creation, filled in step by step and sent when it is whole (CUS-20, C-11).

A draft may hold anything and says all that is still wrong with it, by the rules by which it will
be sent. It is sent once: whoever sends it a second time is shown the customer that it became, and
who looks after it is locked until that is decided. What lies untouched for 30 days is forgotten.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import CursorResult, FromClause, Select, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Read, Reading, Transaction
from chassis.errors import FieldError
from chassis.http.etags import Seen
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.records import JsonObject
from customers.errors.drafts import DraftNotFound, DraftSent, DraftTooLarge
from customers.rules import examination, identity, steps, surroundings
from customers.rules.application import Sketch
from customers.rules.steps import Problem
from customers.tables.drafts import Draft

KEPT: Final = timedelta(days=30)
MOST: Final = 40 * 1024
"""Bytes of JSON in one draft: a whole application with all that it may answer to forms."""
MOST_SAID: Final = 60 * 1024
"""The same with all that is wrong with it, as it is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A body as far as it is filled in: as it came, what its shape is wrong about, and what of it is sound."""

    body: dict[str, Any]
    errors: Sequence[FieldError]
    sketch: Sketch


class DraftListView(View, frozen=True, kw_only=True):
    """A draft in a list; `ready` says whether nothing was wrong with it when it was last changed."""

    id: UUID
    version: int
    company: str | None
    ready: bool
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class DraftView(View, frozen=True, kw_only=True):
    """A draft. `problems` would refuse it, `warnings` may lead to a review; both are as found when it was last changed."""

    id: UUID
    version: int
    body: Stored[JsonObject]
    ready: bool
    problems: Stored[list[Problem]]
    warnings: Stored[list[Problem]]
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class CheckView(View, frozen=True, kw_only=True):
    """What would be said of these parts of an application; `first_admin_email` is the address that would be made."""

    problems: list[Problem]
    warnings: list[Problem]
    first_admin_email: str | None


async def check(tx: Transaction, filled: Filled) -> CheckView:
    """What the rules say of parts of an application; what is missing is not missed."""
    admin = identity.sketched(filled.sketch)
    wrong = [error for error in filled.errors if error.code != "missing"]
    problems, warnings = await _look(tx, filled.sketch, wrong)
    return CheckView(problems=problems, warnings=warnings, first_admin_email=admin.email if admin else None)


async def keep(tx: Transaction, filled: Filled) -> Draft:
    """Keep a new draft.

    Raises:
        DraftTooLarge: there is more in it than an application could have.
    """
    by = tx.caller
    draft = Draft(partner_id=tx.partner_id, id=tx.new_id(), body={}, created_by=by, created_at=tx.now)
    await _fill(tx, draft, filled)
    tx.session.add(draft)
    await tx.session.flush()
    return draft


async def hold(tx: Transaction, draft_id: UUID, seen: Seen) -> Draft:
    """A draft, to be changed or sent. Of one that was sent already no version is asked.

    Raises:
        DraftNotFound: there is none, or not any more.
        Stale: it was changed since the caller saw it.
    """
    mine = select(Draft).where(Draft.partner_id == tx.partner_id, Draft.id == draft_id, Draft.expires_at > tx.real_now)
    draft = (await tx.session.scalars(mine.with_for_update())).one_or_none()
    if draft is None:
        raise DraftNotFound
    if draft.customer_id is None:
        seen.admit(draft.version)
    return draft


async def change(tx: Transaction, draft: Draft, filled: Filled) -> Draft:
    """Keep a draft as it is filled in now.

    Raises:
        DraftSent: it is a customer by now.
        DraftTooLarge: there is more in it than an application could have.
    """
    _require_unsent(draft)
    await _fill(tx, draft, filled)
    await tx.session.flush()
    return draft


async def discard(tx: Transaction, draft: Draft) -> None:
    """Throw a draft away.

    Raises:
        DraftSent: it is a customer by now.
    """
    _require_unsent(draft)
    await tx.session.delete(draft)
    await tx.session.flush()


def _require_unsent(draft: Draft) -> None:
    if draft.customer_id is not None:
        raise DraftSent


async def close(tx: Transaction, draft: Draft, customer_id: UUID) -> None:
    """Note what became of a draft; nothing of what was in it stays."""
    draft.customer_id = customer_id
    draft.body, draft.problems, draft.warnings = {}, [], []
    await tx.session.flush()


async def forget_drafts(session: AsyncSession, now: datetime) -> int:
    """Delete what nobody has touched for long."""
    old = delete(Draft).where(Draft.expires_at < now)
    gone = await session.execute(old, execution_options={"across_partners": "a draft is forgotten by its age, whosever it is"})
    return gone.rowcount if isinstance(gone, CursorResult) else 0


async def _fill(tx: Transaction, draft: Draft, filled: Filled) -> None:
    if _size(filled.body) > MOST:
        raise DraftTooLarge(most=MOST)
    problems, warnings = await _look(tx, filled.sketch, filled.errors)
    if _size((filled.body, problems, warnings)) > MOST_SAID:
        raise DraftTooLarge(most=MOST)
    if filled.body.get("eula") != draft.body.get("eula"):
        draft.eula_by, draft.eula_at = tx.caller, tx.now
    draft.body = filled.body
    draft.problems, draft.warnings = [asdict(one) for one in problems], [asdict(one) for one in warnings]
    draft.ready = not problems
    draft.updated_at = tx.now
    draft.expires_at = tx.real_now + KEPT


def _size(said: object) -> int:
    return len(msgspec.json.encode(said))


async def _look(tx: Transaction, sketch: Sketch, errors: Sequence[FieldError]) -> tuple[list[Problem], list[Problem]]:
    admin = identity.sketched(sketch)
    found = examination.survey(sketch, admin, await surroundings.around(tx, sketch, admin))
    said = {error.pointer for error in errors}
    problems = [*errors, *(one for one in found.problems if one.pointer not in said)]
    return [steps.problem(one) for one in problems], [steps.warning(one) for one in found.oddities]


def _current(relation: FromClause, _given: Given) -> Select[Any]:
    shown = [relation.c[name] for name in DraftListView.__struct_fields__ if name in relation.c]
    company = relation.c.body["company"]["name"].astext.label("company")
    return select(*shown, company).where(relation.c.customer_id.is_(None), relation.c.expires_at > bindparam("now"))


_DRAFTS: Final = Paged(
    Draft, DraftListView, Sorts({"updated_at": ("updated_at", datetime)}, default="-updated_at", last=("id", UUID)), build=_current
)
_ONE: Final = Reading(
    Draft,
    lambda r, _shape: select(*DraftView.columns(r)).where(
        r.c.id == bindparam("id"), r.c.customer_id.is_(None), r.c.expires_at > bindparam("now")
    ),
)


async def page(read: Read, wanted: Wanted) -> Listing[DraftListView]:
    """The partner's drafts, the last changed first."""
    return await _DRAFTS.page(read, wanted, now=read.real_now)


async def one(read: Read, draft_id: UUID) -> DraftView:
    """A draft.

    Raises:
        DraftNotFound: there is none, or not any more.
    """
    row = await read.row(_ONE, id=draft_id, now=read.real_now)
    if row is None:
        raise DraftNotFound
    return DraftView.of(row)
