"""Imports over HTTP: asked for by an address, and what came of them."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import ListQuery
from chassis.http.text import EmailAddress
from contracts.customers.customers import ManagementType
from customers.consents import imports
from customers.consents.imports import ImportStatus, ImportsView, ImportView, RequestImport

router: Final = APIRouter(prefix="/v1/imports", tags=["imports"])

IMPORTERS: Final = allow(Permission.CUSTOMERS_IMPORT, kinds=frozenset({"partner", "operator"}))


class NewImport(Body):
    """The address alone is needed (CUS-42); ``management_type`` left out, the customer is managed as it is."""

    email: EmailAddress
    management_type: ManagementType | None = None


class ImportsQuery(ListQuery):
    """Sorts: requested_at, updated_at, email."""

    status: ImportStatus | None = None


@router.post("", status_code=202, response_model=ImportView)
async def request(body: NewImport, call: Annotated[Call, allow(Permission.CUSTOMERS_IMPORT)]) -> Response:
    """Ask to manage a customer that exists already, by the address of its account (CUS-42, CUS-43).

    The answer is the same whether there is one. If there is, it is mailed, and nothing happens before it confirms.
    Tell the customer beforehand that the mail is coming (CUS-50).
    """
    async with call.change() as tx:
        one = await imports.request(tx, RequestImport(email=body.email, management_type=body.management_type))
        return call.answer(ImportView.of_entity(one), status=202, version=one.version, location=f"/v1/imports/{one.id}")


@router.get("", response_model=ImportsView)
async def list_imports(query: Annotated[ImportsQuery, Query()], call: Annotated[Call, IMPORTERS]) -> Response:
    """Whom the partner has asked, and what came of it (CUS-44)."""
    async with call.read() as read:
        return call.answer(await imports.page(read, query.wanted, status=query.status))


@router.get("/{import_id}", response_model=ImportView)
async def get(import_id: UUID, call: Annotated[Call, IMPORTERS]) -> Response:
    async with call.read() as read:
        one = await imports.one(read, import_id)
        return call.answer(one, version=one.version)
