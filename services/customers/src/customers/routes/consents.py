"""Consents over HTTP: what customers are asked for, how they answer while signed in, and what is taken back."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from contracts.customers.consents import ConsentKind, ConsentState
from contracts.customers.customers import CommunicationsMode, ManagementType
from customers import customer_list
from customers.consents import answers, communications, launches, listing, management, revoking
from customers.consents.answers import Answer
from customers.consents.communications import ChooseCommunications
from customers.consents.launches import RequestLaunch
from customers.consents.listing import ConsentHistoryView, ConsentView
from customers.consents.management import RequestManagement
from customers.consents.revoking import Revocable, Revoke
from customers.customer_list import CustomerView
from customers.rules import asking
from customers.rules.actions import CHANGE_MANAGEMENT, EVERYBODY, REQUEST_LAUNCH, REVOKE_CONSENT, SET_COMMUNICATIONS

router: Final = APIRouter(prefix="/v1/customers/{customer_id}", tags=["consents"])

CUSTOMERS: Final = frozenset({"customer"})


class ManagementWanted(Body):
    management_type: ManagementType


class CommunicationsChosen(Body):
    communications_mode: CommunicationsMode


class Revocation(Body):
    kind: Revocable


class Confirmation(Body):
    """`no_macs` says that no Mac is left in the account: an import asks for that, unless unmanaged Macs are allowed (CUS-47)."""

    no_macs: bool = False


class ConsentsQuery(ListQuery):
    """Sorts: asked_at."""

    kind: ConsentKind | None = None
    state: ConsentState | None = None


@router.get("/consents", response_model=Listing[ConsentView])
async def list_consents(
    customer_id: UUID, query: Annotated[ConsentsQuery, Query()], call: Annotated[Call, allow(kinds=EVERYBODY)]
) -> Response:
    async with call.read(customer=customer_id) as read:
        return call.answer(await listing.page(read, customer_id, query.wanted, kind=query.kind, state=query.state))


@router.get("/consents/{consent_id}", response_model=ConsentHistoryView)
async def get(customer_id: UUID, consent_id: UUID, call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    """A consent with all its entries in the customer's chain."""
    async with call.read(customer=customer_id) as read:
        consent = await listing.one(read, customer_id, consent_id)
        return call.answer(consent, version=consent.version)


@router.post("/management", status_code=202, response_model=ConsentView)
async def request_management(
    customer_id: UUID, body: ManagementWanted, call: Annotated[Call, allow(kinds=CHANGE_MANAGEMENT.kinds)]
) -> Response:
    """Ask the customer to be managed otherwise: its contact is mailed, and nothing changes until it confirms (CUS-48, CUS-49).

    Tell the customer beforehand that the mail is coming (CUS-50).
    """
    async with call.change(customer=customer_id) as tx:
        command = RequestManagement(customer_id=customer_id, seen=call.seen, management_type=body.management_type)
        consent = await management.request(tx, command)
        return call.answer(ConsentView.of_entity(consent), status=202, version=consent.version)


@router.put("/communications", response_model=CustomerView)
async def choose_communications(
    customer_id: UUID, body: CommunicationsChosen, call: Annotated[Call, allow(kinds=SET_COMMUNICATIONS.kinds)]
) -> Response:
    """Say whether the customer is mailed besides its partner (CUS-57 to CUS-59)."""
    async with call.change(customer=customer_id) as tx:
        command = ChooseCommunications(customer_id=customer_id, seen=call.seen, communications_mode=body.communications_mode)
        customer = await communications.choose(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/consents/console-launch", status_code=202, response_model=ConsentView)
async def request_launch(customer_id: UUID, call: Annotated[Call, allow(kinds=REQUEST_LAUNCH.kinds)]) -> Response:
    """Ask the customer for leave to launch its console; its contact is mailed (CUS-55)."""
    async with call.change(customer=customer_id) as tx:
        consent = await launches.request(tx, RequestLaunch(customer_id=customer_id, seen=call.seen))
        return call.answer(ConsentView.of_entity(consent), status=202, version=consent.version)


@router.post("/consents/revoke", response_model=CustomerView)
async def revoke(customer_id: UUID, body: Revocation, call: Annotated[Call, allow(kinds=REVOKE_CONSENT.kinds)]) -> Response:
    """Take back what was asked for, or what was granted. Nobody launches a console by it any more, until the customer is asked again."""
    async with call.change(customer=customer_id, stand_in=True) as tx:
        command = Revoke(customer_id=customer_id, seen=call.seen, kind=body.kind)
        customer = await revoking.revoke(tx, command)
        return call.answer(customer_list.shown(customer, to=call.principal.kind), version=customer.version)


@router.post("/consents/{consent_id}/confirm", response_model=ConsentView)
async def confirm(customer_id: UUID, consent_id: UUID, body: Confirmation, call: Annotated[Call, allow(kinds=CUSTOMERS)]) -> Response:
    """Say yes as one of the customer's own users, instead of by the mailed link."""
    async with call.change(customer=customer_id, stand_in=True) as tx:
        answer = Answer(customer_id=customer_id, consent_id=consent_id, evidence=asking.by_caller(tx), no_macs=body.no_macs)
        consent = await answers.confirm(tx, answer, call.seen)
        return call.answer(ConsentView.of_entity(consent), version=consent.version)


@router.post("/consents/{consent_id}/decline", response_model=ConsentView)
async def decline(customer_id: UUID, consent_id: UUID, call: Annotated[Call, allow(kinds=CUSTOMERS)]) -> Response:
    """Say no as one of the customer's own users, instead of by the mailed link."""
    async with call.change(customer=customer_id, stand_in=True) as tx:
        answer = Answer(customer_id=customer_id, consent_id=consent_id, evidence=asking.by_caller(tx))
        consent = await answers.decline(tx, answer, call.seen)
        return call.answer(ConsentView.of_entity(consent), version=consent.version)
