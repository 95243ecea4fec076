"""What can be ordered, and what this partner may do."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Listing
from licensing import capabilities, offers
from licensing.capabilities import CapabilitiesView
from licensing.offers import OfferView
from licensing.routes.queries import Asked
from licensing.rules import pages

router: Final = APIRouter(prefix="/v1", tags=["catalogue"])

_EVERYBODY: Final = frozenset({"partner", "operator", "customer"})
_SELLERS: Final = frozenset({"partner", "operator"})


class OffersAsked(Asked):
    withdrawn: bool = False


@router.get("/offers", response_model=Listing[OfferView])
async def list_offers(query: Annotated[OffersAsked, Query()], call: Annotated[Call, allow(kinds=_EVERYBODY)]) -> Response:
    """The catalogue; `withdrawn=true` shows what is no longer sold too."""
    async with call.read() as read:
        return call.answer(pages.whole(await offers.all_of(read, withdrawn=query.withdrawn), read.now))


@router.get("/capabilities", response_model=CapabilitiesView)
async def list_capabilities(_: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """What the partner may do by its programme, each decision with its rule and policy version."""
    async with call.read() as read:
        return call.answer(await capabilities.of_caller(read))
