"""Firmware: customers whose appliances require an update are told to fetch it, and no others (CUS-67, NOT-17).

Which appliances require one is what their products report; older reports than the newest known change
nothing. An update is over when no appliance of the customer's product requires one any more. Whether
one does is decided by one at a time (``setting.alone``): neither is an update asked for that is done, nor
one left open that nobody requires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.database import Read, Transaction, Work
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.licensing.firmware import MOST_NAMED, FirmwareUpdateRequested
from contracts.products.endpoints import EndpointReported
from licensing.errors.product_settings import UpdateNotRequired, UpdateUnderWay
from licensing.rules import offered, products, served, setting, updates
from licensing.rules.telling import tell_update
from licensing.rules.updates import UpdateStatus
from licensing.tables.firmware import Appliance, FirmwareUpdate

_ACROSS: Final = {"across_partners": "an appliance is its customer's, whosever that was when it was reported"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpdate:
    customer_id: UUID
    product: str
    job_id: UUID


class UpdateView(View, frozen=True, kw_only=True):
    """A firmware update that a customer was told to fetch; `appliances` required it. `job_id` is the job it was asked for by."""

    id: UUID
    version: int
    customer_id: UUID
    product: str
    status: UpdateStatus
    appliances: int
    detail: str | None
    job_id: UUID
    requested_at: datetime
    finished_at: datetime | None


async def request(tx: Transaction, command: RequestUpdate) -> FirmwareUpdate:
    """Let a customer be told to fetch an update.

    Raises:
        NotSupported: the product has no firmware.
        CustomerNotServed, NotOffered, ProductNotHeld: it is not done with this customer now.
        UpdateNotRequired: none of its appliances requires one.
        UpdateUnderWay: it was told already.
    """
    product = await products.supporting(tx, command.product, "firmware")
    customer = await offered.admit(tx, offered.UPDATE_FIRMWARE, command.customer_id, product.code)
    await setting.alone(tx, command.customer_id, product.code)
    requiring = await _requiring(tx, command.customer_id, product.code)
    if not requiring:
        raise UpdateNotRequired
    if (before := await _open(tx, command.customer_id, product.code)) is not None:
        raise UpdateUnderWay(firmware_update_id=str(before.id))
    update = FirmwareUpdate(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        customer_id=command.customer_id,
        product=product.code,
        status="requested",
        appliances=len(requiring),
        job_id=command.job_id,
        data_region=customer.data_region,
        requested_at=tx.now,
    )
    tx.session.add(update)
    named = requiring[:MOST_NAMED]
    fact = FirmwareUpdateRequested(product=product.code, product_name=product.name, appliances=len(requiring), endpoint_ids=named)
    await tell_update(tx, update, fact)
    return update


async def _apply(work: Work, events: Sequence[Event[EndpointReported]]) -> None:
    """In the name of the partner that has the customer now, whoever the report names; of nobody's customer nothing is kept."""
    for event in events:
        if event.record.kind == "appliance" and (customer := await served.held(work.session, event.record.customer_id)) is not None:
            async with work.item(customer.partner_id, cause=event.envelope) as tx:
                await follow(tx, event)


async def _end(_work: Work, _ended: Sequence[Tombstone]) -> None:
    """A report says itself that its device is gone; none comes without a body."""


async def follow(tx: Transaction, event: Event[EndpointReported]) -> None:
    """Remember of an appliance whether it requires an update, and end what nobody requires any more."""
    said = event.record
    was_required = await _kept(tx, said)
    newest = await (_forget if said.deleted else _keep)(tx, event)
    if newest and was_required and (said.deleted or not said.firmware_update_required):
        await _settle(tx, said.customer_id, said.product)


async def _kept(tx: Transaction, said: EndpointReported) -> bool:
    known = select(Appliance.update_required).where(Appliance.customer_id == said.customer_id, Appliance.endpoint_id == said.endpoint_id)
    return bool((await tx.session.execute(known, execution_options=_ACROSS)).scalar_one_or_none())


async def _keep(tx: Transaction, event: Event[EndpointReported]) -> bool:
    """Whether it is newer than what was known."""
    said = event.record
    row = insert(Appliance).values(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        version=event.envelope.aggregate_version,
        customer_id=said.customer_id,
        product=said.product,
        endpoint_id=said.endpoint_id,
        firmware_version=said.firmware_version,
        update_required=said.firmware_update_required,
        reported_at=tx.now,
    )
    named = ("partner_id", "version", "product", "firmware_version", "update_required", "reported_at")
    newer = row.on_conflict_do_update(
        constraint="appliances_once",
        set_={name: row.excluded[name] for name in named},
        where=Appliance.version < row.excluded.version,
    )
    return (await tx.session.execute(newer.returning(Appliance.id), execution_options=_ACROSS)).one_or_none() is not None


async def _forget(tx: Transaction, event: Event[EndpointReported]) -> bool:
    said = event.record
    same = (Appliance.customer_id == said.customer_id, Appliance.endpoint_id == said.endpoint_id)
    gone = delete(Appliance).where(*same, Appliance.version < event.envelope.aggregate_version)
    return (await tx.session.execute(gone.returning(Appliance.id), execution_options=_ACROSS)).one_or_none() is not None


async def _settle(tx: Transaction, customer_id: UUID, product: str) -> None:
    await setting.alone(tx, customer_id, product)
    update = await _open(tx, customer_id, product)
    if update is not None and not await _requiring(tx, customer_id, product):
        await updates.finish(tx, update, "updated")


async def _requiring(tx: Transaction, customer_id: UUID, product: str) -> list[UUID]:
    """The appliances that require an update, in a statement that begins when nobody else sets the product."""
    mine = (Appliance.partner_id == tx.partner_id, Appliance.customer_id == customer_id, Appliance.product == product)
    required = select(Appliance.endpoint_id).where(*mine, Appliance.update_required).order_by(Appliance.endpoint_id)
    found = await tx.session.scalars(required)
    return list(found)


async def _open(tx: Transaction, customer_id: UUID, product: str) -> FirmwareUpdate | None:
    mine = (FirmwareUpdate.partner_id == tx.partner_id, FirmwareUpdate.customer_id == customer_id, FirmwareUpdate.product == product)
    found = select(FirmwareUpdate).where(*mine, FirmwareUpdate.status == "requested").with_for_update()
    return (await tx.session.scalars(found)).one_or_none()


_SORTS: Final = Sorts({"requested_at": ("requested_at", datetime)}, default="-requested_at", last=("id", UUID))
_UPDATES: Final = Paged(FirmwareUpdate, UpdateView, _SORTS, customer="customer_id")


async def page(read: Read, wanted: Wanted, **filters: Any) -> Listing[UpdateView]:
    """Newest first, unless asked otherwise. Filters: customer_id, product, status, job_id."""
    return await _UPDATES.page(read, wanted, **filters)


APPLIANCES: Final = Projection(name="licensing.firmware", record=EndpointReported, apply=_apply, forget=_end)
"""Followed by a group of its own, so that nobody's telemetry delays what customers are given."""
