"""What can be ordered, and what this partner may do."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing
from licensing import capabilities, offers
from licensing.capabilities import CapabilitiesView
from licensing.offers import OfferView

router: Final = APIRouter(prefix="/v1", tags=["catalogue"])

_SELLERS: Final = frozenset({"partner", "service", "operator"})


class OffersQuery(Asked):
    withdrawn: bool = False


@router.get("/offers", response_model=Listing[OfferView])
async def list_offers(query: Annotated[OffersQuery, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """The catalogue; `withdrawn=true` shows what is no longer sold too."""
    async with call.read() as read:
        return call.answer(await offers.all_of(read, withdrawn=query.withdrawn))


@router.get("/capabilities", response_model=CapabilitiesView)
async def list_capabilities(_: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """What the partner may do by its programme, each decision with its rule and policy version."""
    async with call.read() as read:
        return call.answer(await capabilities.of_caller(read))
