"""Products, and the partner's templates for them."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.access import Permission
from chassis.http.bodies import Body, left_out
from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing, ListQuery
from chassis.http.text import Name
from licensing import products
from licensing.product_settings import templates
from licensing.product_settings.templates import ChangeTemplate, CreateTemplate, TemplateView
from licensing.products import ProductView
from licensing.routes.bodies import ProductCode
from licensing.rules.settings_documents import SettingsDocument

router: Final = APIRouter(prefix="/v1", tags=["product templates"])

_SELLERS: Final = frozenset({"partner", "service", "operator"})
_SETTERS: Final = allow(Permission.PRODUCTS_MANAGE)


class NewTemplate(Body):
    """`settings` are what the product understands; they hold no secrets. New customers are set by it where `is_default`."""

    product: ProductCode
    name: Name
    settings: SettingsDocument
    is_default: bool = False


class ChangedTemplate(Body):
    """What is left out stays."""

    name: Name = left_out()
    settings: SettingsDocument = left_out()
    is_default: bool = left_out()


class TemplatesQuery(ListQuery):
    """Sorts: name, created_at."""

    product: ProductCode | None = None
    is_default: bool | None = None


@router.get("/products", response_model=Listing[ProductView])
async def list_products(_: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """What each product can be set by: templates, policies, firmware updates."""
    async with call.read() as read:
        return call.answer(await products.all_of(read))


@router.get("/product-templates", response_model=Listing[TemplateView])
async def list_templates(query: Annotated[TemplatesQuery, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """The partner's templates; operators see every partner's. Sorts: name, created_at."""
    async with call.read() as read:
        return call.answer(await templates.page(read, query.wanted, product=query.product, is_default=query.is_default))


@router.post("/product-templates", status_code=201, response_model=TemplateView)
async def create(body: NewTemplate, call: Annotated[Call, _SETTERS]) -> Response:
    """Keep settings of a product under a name. As the default they take the place of the one before."""
    async with call.change() as tx:
        command = CreateTemplate(product=body.product, name=body.name, settings=body.settings, is_default=body.is_default)
        template = await templates.create(tx, command)
        view = TemplateView.of_entity(template)
        return call.created(view, location=f"/v1/product-templates/{template.id}", version=template.version)


@router.get("/product-templates/{template_id}", response_model=TemplateView)
async def get(template_id: UUID, call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    async with call.read() as read:
        template = await templates.one(read, template_id)
        return call.answer(template, version=template.version)


@router.patch("/product-templates/{template_id}", response_model=TemplateView)
async def change(template_id: UUID, body: ChangedTemplate, call: Annotated[Call, _SETTERS]) -> Response:
    """Change a template. Customers keep what they were given of it, until it is assigned to them again."""
    async with call.change() as tx:
        command = ChangeTemplate(
            template_id=template_id, seen=call.seen, name=body.name, settings=body.settings, is_default=body.is_default
        )
        template = await templates.change(tx, command)
        return call.answer(TemplateView.of_entity(template), version=template.version)


@router.delete("/product-templates/{template_id}", status_code=204)
async def delete(template_id: UUID, call: Annotated[Call, _SETTERS]) -> Response:
    """Forget a template. Customers keep what they were given of it."""
    async with call.change() as tx:
        await templates.delete(tx, template_id, call.seen)
        return call.answer(b"", status=204)
