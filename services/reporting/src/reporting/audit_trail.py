"""The audit of all services in one list: who did what, when, to which subject (GW-11). It feeds the Security Audit report.

Who may read it may read all of it, but what concerns customers that its roles hide.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, select

from chassis.consumers import Event, Step
from chassis.database import Read, Transaction
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.any.audit import AuditOutcome, AuditRecorded
from contracts.customers.users import UserKind
from reporting.tables.audit_trail import AuditLine

KEPT: Final = ("at", "user_id", "user_kind", "user_partner_id", "acting_as", "operation", "outcome", "code", "subject_type", "subject_id")


class AuditView(View, frozen=True):
    """An entry. Values before and after stay in the service that changed them.

    `user_partner_id` is the user's own partner, `acting_as` the one in whose name it acted, if another. `fields` are what
    it changed of the subject, `facts` what was told of it; `code` says why it was denied.
    """

    id: UUID
    at: datetime
    service: str
    user_id: UUID
    user_kind: UserKind
    user_partner_id: UUID
    acting_as: UUID | None
    operation: str
    outcome: AuditOutcome
    code: str | None
    subject_type: str | None
    subject_id: UUID | None
    customer_id: UUID | None
    facts: list[str]
    fields: list[str]
    request_id: str | None


def _matching(relation: FromClause, given: Given) -> Select[Any]:
    statement = select(*AuditView.columns(relation))
    for name in sorted(given - {"since", "until"}):
        statement = statement.where(relation.c[name] == bindparam(name, type_=relation.c[name].type))
    if "since" in given:
        statement = statement.where(relation.c["at"] >= bindparam("since"))
    return statement.where(relation.c["at"] < bindparam("until")) if "until" in given else statement


_SORTS: Final = Sorts({"at": ("at", datetime)}, default="-at", last=("id", UUID))
_ENTRIES: Final = Paged(AuditLine, AuditView, _SORTS, build=_matching, customer="customer_id")


async def page(read: Read, wanted: Wanted, **filters: Any) -> Listing[AuditView]:
    """One page of the entries that the reader sees; ``since`` is included, ``until`` is not."""
    return await _ENTRIES.page(read, wanted, **filters)


async def keep(tx: Transaction, event: Event[AuditRecorded]) -> None:
    """Keep an entry; the inbox has seen to it that this is the first we hear of it."""
    said = event.envelope
    line = {name: getattr(event.record, name) for name in (*KEPT, "facts", "fields", "request_id")}
    service = said.source.removeprefix("/")
    tx.session.add(AuditLine(partner_id=tx.partner_id, id=said.subject, customer_id=said.customer_id, service=service, **line))


STEP: Final = Step(name="audit trail", record=AuditRecorded, handle=keep)
