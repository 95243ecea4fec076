"""The audit over HTTP: searched by who, what, whom and when."""

from typing import Annotated, Final
from uuid import UUID

from annotated_types import MaxLen
from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from contracts.any.audit import AuditOutcome
from reporting import audit_trail
from reporting.audit_trail import AuditView

router: Final = APIRouter(prefix="/v1/audit", tags=["audit"])

type Word = Annotated[str, MaxLen(100)]


class AuditQuery(ListQuery):
    """`since` is included, `until` is not. Sorts: at."""

    user_id: UUID | None = None
    operation: Word | None = None
    outcome: AuditOutcome | None = None
    subject_type: Word | None = None
    subject_id: UUID | None = None
    customer_id: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@router.get("", response_model=Listing[AuditView])
async def list_entries(
    query: Annotated[AuditQuery, Query()],
    call: Annotated[Call, allow(Permission.AUDIT_READ, kinds=frozenset({"partner", "service", "operator"}))],
) -> Response:
    """Who did what, newest first, in every service; a moment after it happened."""
    async with call.read() as read:
        filters = query.model_dump(exclude={"sort", "cursor", "limit"})
        return call.answer(await audit_trail.page(read, query.wanted, **filters))
