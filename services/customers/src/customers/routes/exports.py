"""Exports of customers over HTTP, as CSV files (CUS-36)."""

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from annotated_types import Len
from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.exports import Export
from chassis.http.lists import SortText
from customers import customer_export
from customers.routes.filters import CustomerFilters
from customers.rules.actions import STAFF
from customers.rules.selecting import Filters

router: Final = APIRouter(prefix="/v1/customers/export.csv", tags=["exports"])


class ExportQuery(CustomerFilters):
    """The filters and sorts of the list: what it shows, page after page, is what the file has."""

    sort: SortText | None = None


class Exported(Body):
    """Which customers; one that the caller does not see is left out."""

    ids: Annotated[list[UUID], Len(1, 10_000)]


@router.get("", status_code=200, response_class=Export)
async def export_all(query: Annotated[ExportQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """All customers that the filters leave and the caller sees, as a CSV file.

    A cell that a spreadsheet would take for a formula begins with an apostrophe. The answer is broken off where the
    caller may read no longer: an answer that ends as HTTP says is whole.
    """
    return _export(call, query.filters, query.sort)


@router.post("", status_code=200, response_class=Export)
async def export_selected(body: Exported, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """Selected customers as a CSV file, like `GET`."""
    return _export(call, Filters(ids=body.ids))


def _export(call: Call, filters: Filters, sort: str | None = None) -> Response:
    write = partial(customer_export.export, sort=sort, filters=filters)
    return Export(call, "customers", write, chosen={"export": "customers", **filters.params})
