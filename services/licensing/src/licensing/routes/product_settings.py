"""What customers' products are set to, assigned, deployed and updated: one by one, and in bulk by jobs (CUS-65 to CUS-68).

A bulk job is watched at `/v1/jobs/licensing/{job_id}`.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from chassis.access import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing, ListQuery
from chassis.jobs import JobView, accepted
from chassis.jobs.bodies import Bulk, Selected
from licensing.bulk import starting
from licensing.bulk.starting import Selection
from licensing.product_settings import assigning, deploying, firmware, shown
from licensing.product_settings.assigning import AssignTemplate
from licensing.product_settings.deploying import DeploymentView
from licensing.product_settings.firmware import UpdateView
from licensing.product_settings.shown import ProductSettingsView
from licensing.routes.bodies import ProductCode
from licensing.rules.deployments import DeploymentStatus
from licensing.rules.settings_documents import SettingsDocument
from licensing.rules.updates import UpdateStatus

router: Final = APIRouter(prefix="/v1", tags=["product settings"])

_READERS: Final = frozenset({"partner", "service", "operator", "customer"})
_SELLERS: Final = frozenset({"partner", "service", "operator"})
_SETTERS: Final = allow(Permission.PRODUCTS_MANAGE)

type ProductInPath = Annotated[str, Path(max_length=64)]


class TemplateChosen(Body):
    template_id: UUID


class ProductBulk(Bulk):
    """What is done with a product of customers that somebody selected."""

    selection: Selected

    @property
    def chosen(self) -> Selection:
        return Selection(ids=self.selection.ids, dry_run=self.dry_run, customers=self.customers, confirmation=self.confirmation)


class BulkTemplate(ProductBulk):
    template_id: UUID


class BulkPolicySettings(ProductBulk):
    """Each member of `settings` replaces the one of its name in what the product is set to."""

    product: ProductCode
    settings: SettingsDocument


class BulkFirmware(ProductBulk):
    product: ProductCode


class DeploymentsQuery(ListQuery):
    """Sorts: requested_at."""

    customer_id: UUID | None = None
    product: ProductCode | None = None
    status: DeploymentStatus | None = None
    job_id: UUID | None = None


class UpdatesQuery(ListQuery):
    """Sorts: requested_at."""

    customer_id: UUID | None = None
    product: ProductCode | None = None
    status: UpdateStatus | None = None
    job_id: UUID | None = None


@router.get("/customers/{customer_id}/product-settings", response_model=Listing[ProductSettingsView])
async def list_settings(customer_id: UUID, _: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=_READERS)]) -> Response:
    """What a customer's products are set to, with the policy on its way and the firmware."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await shown.of_customer(read, customer_id))


@router.get("/customers/{customer_id}/product-settings/{product}", response_model=ProductSettingsView)
async def get(customer_id: UUID, product: ProductInPath, call: Annotated[Call, allow(kinds=_READERS)]) -> Response:
    async with call.read(customer=customer_id) as read:
        settings = await shown.one(read, customer_id, product)
        return call.answer(settings, version=settings.version)


@router.post("/customers/{customer_id}/product-settings/{product}/assign", response_model=ProductSettingsView)
async def assign(customer_id: UUID, product: ProductInPath, body: TemplateChosen, call: Annotated[Call, _SETTERS]) -> Response:
    """Set a customer's product as a template says (CUS-65). `If-Match: "0"` where nobody has set it yet."""
    async with call.change(customer=customer_id) as tx:
        seen = call.seen
        pattern = await assigning.choose(tx, body.template_id, product=product)
        settings = await assigning.assign(tx, AssignTemplate(customer_id=customer_id, pattern=pattern, seen=seen))
        return call.answer(ProductSettingsView.of_entity(settings, last_deployment=None, firmware=None), version=settings.version)


@router.get("/policy-deployments", response_model=Listing[DeploymentView])
async def list_deployments(query: Annotated[DeploymentsQuery, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """Policies that were sent to customers' products, and what became of them. Sorts: requested_at."""
    async with call.read() as read:
        filters = query.model_dump(include={"customer_id", "product", "status", "job_id"})
        return call.answer(await deploying.page(read, query.wanted, **filters))


@router.get("/firmware-updates", response_model=Listing[UpdateView])
async def list_updates(query: Annotated[UpdatesQuery, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """Firmware updates that customers were told to fetch, and what became of them. Sorts: requested_at."""
    async with call.read() as read:
        filters = query.model_dump(include={"customer_id", "product", "status", "job_id"})
        return call.answer(await firmware.page(read, query.wanted, **filters))


@router.post("/product-bulk/template", status_code=202, response_model=JobView)
async def assign_template(body: BulkTemplate, call: Annotated[Call, _SETTERS]) -> Response:
    """Set a product of customers as a template says (CUS-65)."""
    async with call.change() as tx:
        return accepted(call, await starting.assign_template(tx, body.chosen, body.template_id))


@router.post("/product-bulk/policy", status_code=202, response_model=JobView)
async def deploy_policy(body: BulkPolicySettings, call: Annotated[Call, _SETTERS]) -> Response:
    """Apply policy settings to a product of customers (CUS-66). What became of each says `GET /v1/policy-deployments?job_id=`."""
    async with call.change() as tx:
        return accepted(call, await starting.deploy_policy(tx, body.chosen, body.product, body.settings))


@router.post("/product-bulk/firmware", status_code=202, response_model=JobView)
async def update_firmware(body: BulkFirmware, call: Annotated[Call, _SETTERS]) -> Response:
    """Tell customers whose appliances require it to fetch a firmware update (CUS-67); to the others nothing is said."""
    async with call.change() as tx:
        return accepted(call, await starting.update_firmware(tx, body.chosen, body.product))
