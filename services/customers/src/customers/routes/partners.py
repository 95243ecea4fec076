"""Partners over HTTP: registered by the operator and by those above, read by them and by themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from chassis.http.text import CountryCode, EmailAddress, LanguageTag, Name, Text, TimeZoneName
from chassis.ids import new_id
from contracts.customers.partners import SupportInfo
from customers import partners
from customers.partners import FirstUser, Parent, PartnerView, RegisterPartner
from customers.routes.addresses import NewPartnerAddress
from customers.rules import addresses, password_rules, support
from customers.rules.addresses import Address
from customers.rules.keyring import Keyring
from customers.rules.objections import Objections

router = APIRouter(prefix="/v1", tags=["partners"])

OPERATORS = frozenset({"operator"})
STAFF = frozenset({"operator", "partner"})


class NewSupport(Body):
    """Where the partner's customers buy and get help; stands in every mail to them (CUS-74)."""

    purchase_url: Annotated[str, Text(500)] | None = None
    support_url: Annotated[str, Text(500)] | None = None
    support_email: EmailAddress | None = None
    support_phone: Annotated[str, Text(40)] | None = None


class NewAdmin(Body):
    """Gets Partner Administrator (CUS-81); without ``password`` a link to set one is mailed."""

    name: Name
    email: EmailAddress
    password: Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})] | None = None


class NewPartner(Body):
    """A `sandbox` is for play, and for good: its clock can be moved on, and nothing of it is billed. So is whoever stands below one."""

    company_name: Name
    country: CountryCode
    parent_id: UUID | None = None
    language: LanguageTag = "en"
    time_zone: TimeZoneName = "UTC"
    support: NewSupport = NewSupport()
    address: NewPartnerAddress | None = None
    admin: NewAdmin
    sandbox: bool = False

    def reached(self) -> tuple[SupportInfo, Address | None]:
        """Where its customers get help, and where it is itself, as they are kept.

        Raises:
            NotAcceptable: names every member that cannot be one.
        """
        objections = Objections()
        helps = support.kept(self.support.model_dump(), self.country, objections)
        address = addresses.kept(self.address.model_dump(), self.country, objections) if self.address else None
        objections.refuse()
        return helps, address

    def command(self, parent: Parent, helps: SupportInfo, address: Address | None, password_hash: str | None) -> RegisterPartner:
        return RegisterPartner(
            name=self.company_name,
            country=self.country,
            parent=parent,
            language=self.language,
            time_zone=self.time_zone,
            support=helps,
            address=address,
            admin=FirstUser(name=self.admin.name, email=self.admin.email, password_hash=password_hash),
            sandbox=self.sandbox,
        )


@router.post("/partners", status_code=201, response_model=PartnerView)
async def register(body: NewPartner, call: Annotated[Call, allow(Permission.PARTNER_MANAGE, kinds=STAFF)]) -> Response:
    """Register a partner that hosts customers of its own (an account of kind *Channel*, CUS-19): below oneself, or where the operator says.

    End customers, accounts of kind *Organization*, are created with `POST /v1/customers`.
    """
    helps, address = body.reached()
    above = body.parent_id or (call.principal.tenant if call.principal.kind == "partner" else None)
    async with call.read() as read:
        parent = await partners.parent(read, above)
    command = body.command(parent, helps, address, await _hashed(body, call.tools))
    async with call.change(founding=new_id()) as tx:
        partner, _ = await partners.register(tx, command)
        return call.created(partners.shown(partner), location=f"/v1/partners/{partner.id}", version=partner.version)


@router.get("/partners", response_model=Listing[PartnerView])
async def list_partners(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=OPERATORS)]) -> Response:
    async with call.read() as read:
        return call.answer(await partners.page(read, query.wanted))


@router.get("/resellers", response_model=Listing[PartnerView])
async def list_resellers(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """The partners directly below one's own, which are listed apart from customers (CUS-69). Sorts: company_name, registered_at."""
    async with call.read() as read:
        return call.answer(await partners.resellers(read, query.wanted))


@router.get("/partners/{partner_id}", response_model=PartnerView)
async def get(partner_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        partner = await partners.one(read, partner_id)
        return call.answer(partner, version=partner.version)


async def _hashed(body: NewPartner, keyring: Keyring) -> str | None:
    password = body.admin.password
    if password is None:
        return None
    password_rules.check(password, [body.admin.email, body.admin.name, body.company_name], pointer="/admin/password")
    return await keyring.passwords.hash(password)
