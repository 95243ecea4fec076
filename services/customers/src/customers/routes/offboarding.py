"""Off-boarding over HTTP: a customer is disabled and enabled, unlinked, deleted and restored; what cannot be taken back is confirmed."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.http import confirmations
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.confirmations import Confirmation, EffectView
from chassis.jobs import JobView, accepted
from customers import customer_list
from customers.customer_list import CustomerView
from customers.offboarding import deletion, deletions, disabling, moves, moving, unlinking
from customers.offboarding.deletion import DeleteCustomer, RestoreCustomer
from customers.offboarding.deletions import DeletionView
from customers.offboarding.disabling import DisableCustomer, EnableCustomer
from customers.offboarding.moves import MoveView
from customers.offboarding.moving import MoveCustomer
from customers.offboarding.unlinking import UnlinkCustomer
from customers.rules import actions
from customers.rules.capabilities import Action

router: Final = APIRouter(prefix="/v1/customers/{customer_id}", tags=["off-boarding"])


def _let_in(action: Action) -> Any:
    return allow(action.permission, kinds=action.kinds)


DISABLERS: Final = _let_in(actions.DISABLE)
ENABLERS: Final = _let_in(actions.ENABLE)
UNLINKERS: Final = _let_in(actions.UNLINK)
DELETERS: Final = _let_in(actions.DELETE)
RESTORERS: Final = _let_in(actions.RESTORE)
MOVERS: Final = _let_in(actions.MOVE)


class Confirmed(Body):
    """`confirmation` is what the preview, or the first asking, has answered with the consequences."""

    confirmation: Confirmation | None = None


class Move(Confirmed):
    """`partner_id` is who gets the customer."""

    partner_id: UUID


NOT_CONFIRMED: Final = Confirmed()


@router.post("/disable/preview", response_model=EffectView)
async def preview_disabling(customer_id: UUID, call: Annotated[Call, DISABLERS]) -> Response:
    """What disabling the customer would do. Nothing changes."""
    async with call.change(customer=customer_id, keyed=False) as tx:
        return call.answer(confirmations.shown(await disabling.preview(tx, customer_id)))


@router.post("/disable", response_model=CustomerView)
async def disable(customer_id: UUID, call: Annotated[Call, DISABLERS], body: Confirmed = NOT_CONFIRMED) -> Response:
    """Put a customer to rest: its users are signed out, and nothing new is sold to it (C-2). What it has bought goes on."""
    async with call.change(customer=customer_id) as tx:
        command = DisableCustomer(customer_id=customer_id, seen=call.seen, confirmation=body.confirmation)
        customer = await disabling.disable(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/enable", response_model=CustomerView)
async def enable(customer_id: UUID, call: Annotated[Call, ENABLERS]) -> Response:
    """Serve a disabled customer again, at any time."""
    async with call.change(customer=customer_id) as tx:
        customer = await disabling.enable(tx, EnableCustomer(customer_id=customer_id, seen=call.seen))
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/unlink/preview", response_model=EffectView)
async def preview_unlinking(customer_id: UUID, call: Annotated[Call, UNLINKERS]) -> Response:
    """What unlinking the customer would do: which licences it loses, above all (CUS-61). Nothing changes."""
    async with call.change(customer=customer_id, keyed=False) as tx:
        return call.answer(confirmations.shown(await unlinking.preview(tx, customer_id)))


@router.post("/unlink", status_code=202, response_model=JobView)
async def unlink(customer_id: UUID, call: Annotated[Call, UNLINKERS], body: Confirmed = NOT_CONFIRMED) -> Response:
    """Run the customer no longer: it lives on under the root party (CUS-60). When the job is done you see it no more."""
    async with call.change(customer=customer_id) as tx:
        command = UnlinkCustomer(customer_id=customer_id, seen=call.seen, confirmation=body.confirmation)
        return accepted(call, await unlinking.unlink(tx, command))


@router.post("/move/preview", response_model=EffectView)
async def preview_moving(customer_id: UUID, body: Move, call: Annotated[Call, MOVERS]) -> Response:
    """What moving the customer would do. Nothing changes."""
    async with call.change(customer=customer_id, keyed=False) as tx:
        return call.answer(confirmations.shown(await moving.preview(tx, customer_id, body.partner_id)))


@router.post("/move", status_code=202, response_model=JobView)
async def move(customer_id: UUID, body: Move, call: Annotated[Call, MOVERS]) -> Response:
    """Give the customer to another partner of the same tree, as one above both, or one of them (MKT-02).

    Whoever stands above acts as the customer's partner (`Partnerdeck-Acting-As`). First every service keeps still about the customer, and
    nothing is done with it; when the job is done that partner sees it no more. Until then the job may be cancelled.
    """
    command = MoveCustomer(customer_id=customer_id, seen=call.seen, partner_id=body.partner_id, confirmation=body.confirmation)
    async with call.change(customer=customer_id) as tx:
        return accepted(call, await moving.move(tx, command))


@router.get("/move", response_model=MoveView)
async def get_move(customer_id: UUID, call: Annotated[Call, allow(kinds=actions.STAFF)]) -> Response:
    """How far the customer's move is. Whoever gave it away may ask what became of it, too."""
    async with call.read() as read:
        shown = await moves.one(read, customer_id)
        return call.answer(shown, version=shown.version)


@router.post("/delete/preview", response_model=EffectView)
async def preview_deletion(customer_id: UUID, call: Annotated[Call, DELETERS]) -> Response:
    """What deleting the customer would do, and until when it could be restored (CUS-63). Nothing changes."""
    async with call.change(customer=customer_id, keyed=False) as tx:
        return call.answer(confirmations.shown(await deletion.preview(tx, customer_id)))


@router.post("/delete", status_code=202, response_model=JobView)
async def delete(customer_id: UUID, call: Annotated[Call, DELETERS], body: Confirmed = NOT_CONFIRMED) -> Response:
    """Delete a customer. Its products must be gone (CUS-62); the job ends when it is deleted, or something was in the way."""
    async with call.change(customer=customer_id) as tx:
        command = DeleteCustomer(customer_id=customer_id, seen=call.seen, confirmation=body.confirmation)
        return accepted(call, await deletion.delete(tx, command))


@router.get("/deletion", response_model=DeletionView)
async def get_deletion(customer_id: UUID, call: Annotated[Call, allow(kinds=actions.STAFF)]) -> Response:
    """How far the customer's deletion is. It can be asked for after the customer is purged, too."""
    async with call.read() as read:
        shown = await deletions.one(read, customer_id)
        return call.answer(shown, version=shown.version)


@router.post("/restore", response_model=CustomerView)
async def restore(customer_id: UUID, call: Annotated[Call, RESTORERS]) -> Response:
    """Take a deleted customer back, until its `recoverable_until`."""
    async with call.change(customer=customer_id) as tx:
        customer = await deletion.restore(tx, RestoreCustomer(customer_id=customer_id, seen=call.seen))
        return call.answer(customer_list.shown(customer), version=customer.version)
