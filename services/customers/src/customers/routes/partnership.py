"""What happens to a partner after its registration, over HTTP: edited, disabled, enabled, closed to those above and opened."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http import confirmations
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.confirmations import Confirmation, EffectView
from chassis.http.text import CountryCode, EmailAddress, LanguageTag, Name, Text, TimeZoneName
from customers import partners
from customers.partners import PartnerView
from customers.partnership import disabling, editing, shutting_out
from customers.partnership.disabling import DisablePartner, EnablePartner
from customers.partnership.editing import ChangePartner
from customers.partnership.shutting_out import ShutOut
from customers.routes.addresses import ChangedPartnerAddress
from customers.routes.own import STAFF

router: Final = APIRouter(prefix="/v1/partners/{partner_id}", tags=["partners"])

_MANAGERS: Final = allow(Permission.PARTNER_MANAGE, kinds=STAFF)
_OWN: Final = allow(Permission.PARTNER_MANAGE, kinds=frozenset({"partner"}))
_WAKING: Final = allow(Permission.PARTNER_MANAGE, kinds=STAFF, waking=True)


class ChangedSupport(Body):
    """What is left out stays; `null` empties it."""

    purchase_url: Annotated[str, Text(500)] | None = None
    support_url: Annotated[str, Text(500)] | None = None
    support_email: EmailAddress | None = None
    support_phone: Annotated[str, Text(40)] | None = None


class ChangedPartner(Body):
    """What is left out stays.

    A partner changes its `support`, `language` and `time_zone`; those above it its name, country and `address` too. Who has no
    address yet is given one with its first line and its city.
    """

    company_name: Name = Field(default_factory=str)
    country: CountryCode = Field(default_factory=str)
    language: LanguageTag = Field(default_factory=str)
    time_zone: TimeZoneName = Field(default_factory=str)
    support: ChangedSupport = Field(default_factory=ChangedSupport)
    address: ChangedPartnerAddress = Field(default_factory=ChangedPartnerAddress)

    def command(self, **meant: Any) -> ChangePartner:
        said = self.model_dump(exclude_unset=True, exclude={"support", "address"})
        fields = {"name" if name == "company_name" else name: value for name, value in said.items()}
        support, address = (one.model_dump(exclude_unset=True) for one in (self.support, self.address))
        return ChangePartner(fields=fields, support=support, address=address, **meant)


class Confirmed(Body):
    """`confirmation` is what the preview, or the first asking, has answered with the consequences."""

    confirmation: Confirmation | None = None


NOT_CONFIRMED: Final = Confirmed()


@router.patch("", response_model=PartnerView)
async def change(partner_id: UUID, body: ChangedPartner, call: Annotated[Call, _MANAGERS]) -> Response:
    """Change a partner (CUS-69, CUS-74), as far as the policy `field_mutability` opens it to the caller."""
    async with call.change(tenant=partner_id) as tx:
        command = body.command(seen=call.seen)
        partner = await editing.change(tx, command)
        return call.answer(partners.shown(partner), version=partner.version)


@router.post("/disable/preview", response_model=EffectView)
async def preview_disabling(partner_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """What disabling the partner would do (GW-14). Nothing changes."""
    async with call.change(tenant=partner_id, keyed=False) as tx:
        return call.answer(confirmations.shown(await disabling.preview(tx)))


@router.post("/disable", response_model=PartnerView)
async def disable(partner_id: UUID, call: Annotated[Call, _MANAGERS], body: Confirmed = NOT_CONFIRMED) -> Response:
    """Put a partner below to rest, once its consequences are confirmed: nobody of it is let in within five seconds (CUS-70)."""
    async with call.change(tenant=partner_id) as tx:
        partner = await disabling.disable(tx, DisablePartner(seen=call.seen, confirmation=body.confirmation))
        return call.answer(partners.shown(partner), version=partner.version)


@router.post("/enable", response_model=PartnerView)
async def enable(partner_id: UUID, call: Annotated[Call, _WAKING]) -> Response:
    """Let a disabled partner work again, at any time (CUS-70)."""
    async with call.change(tenant=partner_id) as tx:
        partner = await disabling.enable(tx, EnablePartner(seen=call.seen))
        return call.answer(partners.shown(partner), version=partner.version)


@router.post("/shut-out", response_model=PartnerView)
async def shut_out(partner_id: UUID, call: Annotated[Call, _OWN]) -> Response:
    """Close one's own partner to those above: none of them acts as it any more (MKT-05). The operator still may."""
    async with call.change(tenant=partner_id) as tx:
        partner = await shutting_out.shut_out(tx, ShutOut(seen=call.seen, closed=True))
        return call.answer(partners.shown(partner), version=partner.version)


@router.post("/let-in", response_model=PartnerView)
async def let_in(partner_id: UUID, call: Annotated[Call, _OWN]) -> Response:
    """Open one's own partner to those above again (MKT-05)."""
    async with call.change(tenant=partner_id) as tx:
        partner = await shutting_out.shut_out(tx, ShutOut(seen=call.seen, closed=False))
        return call.answer(partners.shown(partner), version=partner.version)
