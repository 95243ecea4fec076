"""Subscriptions: read them, see what converting one costs, convert it."""

from typing import Annotated, Final
from uuid import UUID

from annotated_types import Ge, Le
from fastapi import APIRouter, Query, Response

from chassis.access import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from contracts.licensing.subscriptions import SubscriptionStatus
from licensing import conversions, subscriptions
from licensing.conversions import ConvertTrial, PreviewConversion, PreviewView
from licensing.routes.bodies import SerialNumber
from licensing.rules.orders import MOST_SEATS
from licensing.subscriptions import SubscriptionView

router: Final = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])

_READERS: Final = frozenset({"partner", "service", "operator", "customer"})

type Quantity = Annotated[int, Ge(1), Le(MOST_SEATS)]


class SubscriptionsQuery(ListQuery):
    """Sorts: started_at."""

    customer_id: UUID | None = None
    status: SubscriptionStatus | None = None


class ConversionAsked(Body):
    """`quantity` is the trial's where it is left out; `serial_number` is a product's."""

    quantity: Quantity | None = None
    serial_number: SerialNumber | None = None


class Conversion(Body):
    """`preview_token` executes exactly what its preview showed, with its quantity and serial number."""

    quantity: Quantity | None = None
    preview_token: UUID | None = None
    serial_number: SerialNumber | None = None


@router.get("", response_model=Listing[SubscriptionView])
async def list_subscriptions(query: Annotated[SubscriptionsQuery, Query()], call: Annotated[Call, allow(kinds=_READERS)]) -> Response:
    async with call.read() as read:
        return call.answer(await subscriptions.page(read, query.wanted, customer_id=query.customer_id, status=query.status))


@router.get("/{subscription_id}", response_model=SubscriptionView)
async def get(subscription_id: UUID, call: Annotated[Call, allow(kinds=_READERS)]) -> Response:
    async with call.read() as read:
        subscription = await subscriptions.one(read, subscription_id)
        return call.answer(subscription, version=subscription.version)


@router.post("/{subscription_id}/convert/preview", response_model=PreviewView)
async def preview_conversion(
    subscription_id: UUID, call: Annotated[Call, allow(Permission.PRODUCTS_MANAGE)], body: ConversionAsked | None = None
) -> Response:
    """The lines that converting would rate. Nothing is converted; the token is good for 15 minutes."""
    asked = body or ConversionAsked()
    command = PreviewConversion(subscription_id=subscription_id, quantity=asked.quantity, serial_number=asked.serial_number)
    async with call.change(customer=await _customer_of(call, subscription_id), keyed=False) as tx:
        return call.answer(await conversions.preview(tx, command))


@router.post("/{subscription_id}/convert", response_model=SubscriptionView)
async def convert(
    subscription_id: UUID, call: Annotated[Call, allow(Permission.PRODUCTS_MANAGE)], body: Conversion | None = None
) -> Response:
    """Convert a trial to a paid subscription. It keeps its id; the paid period starts today."""
    asked = body or Conversion()
    command = ConvertTrial(
        subscription_id=subscription_id,
        quantity=asked.quantity,
        preview_token=asked.preview_token,
        serial_number=asked.serial_number,
        seen=call.seen,
    )
    async with call.change(customer=await _customer_of(call, subscription_id)) as tx:
        subscription = await conversions.convert(tx, command)
        return call.answer(SubscriptionView.of_entity(subscription), version=subscription.version)


async def _customer_of(call: Call, subscription_id: UUID) -> UUID:
    """Whose it is, for the level that the change needs."""
    async with call.read() as read:
        return await subscriptions.customer_of(read, subscription_id)
