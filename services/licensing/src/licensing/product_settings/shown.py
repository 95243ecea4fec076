"""What a customer's products are set to: one row per product of its that can be, or was set (CUS-28, CUS-65 to CUS-67)."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import ARRAY, FromClause, Select, Text, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.database import Read, Reading
from chassis.http.lists import Listing
from chassis.http.views import Stored, View, Withheld
from contracts.licensing.subscriptions import STANDING
from contracts.records import JsonObject
from licensing.errors.product_settings import SettingsNotFound
from licensing.rules import served
from licensing.rules.deployments import DeploymentStatus
from licensing.rules.updates import UpdateStatus
from licensing.tables.firmware import Appliance, FirmwareUpdate
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing.tables.subscriptions import Subscription

_NONE_YET: Final = 0
_STANDING: Final = literal(sorted(STANDING), ARRAY(Text))
_SETTABLE: Final = "select code from products where templates or policies or firmware"


class LastDeploymentView(View, frozen=True, kw_only=True):
    """The policy that was sent to the product last."""

    id: UUID
    status: DeploymentStatus
    detail: str | None
    requested_at: datetime
    finished_at: datetime | None


class FirmwareView(View, frozen=True, kw_only=True):
    """How many appliances there are, how many of them require an update, and what became of the one that was asked for last."""

    appliances: int
    requiring_update: int
    update_status: UpdateStatus | None
    update_requested_at: datetime | None


class ProductSettingsView(View, frozen=True, kw_only=True):
    """A product of a customer, as it is set; `version` 0 and no settings where nobody has set it yet.

    A customer's own users are not shown by which template of its partner.
    """

    version: int
    product: str
    settings: Stored[JsonObject] | None
    template_id: Withheld[UUID | None] = UNSET
    template_version: Withheld[int | None] = UNSET
    template_name: Withheld[str | None] = UNSET
    updated_at: datetime | None
    last_deployment: LastDeploymentView | None
    firmware: FirmwareView | None


async def of_customer(read: Read, customer_id: UUID) -> Listing[ProductSettingsView]:
    """By product.

    Raises:
        CustomerNotFound: an operator names one that no partner has.
    """
    settings = {row["product"]: row for row in await read.rows(_SETTINGS, customer_id=customer_id)}
    settable = {row["code"] for row in await read.connection.fetch(_SETTABLE)}
    held = {row["product"] for row in await read.rows(_HELD, customer_id=customer_id)}
    if not held and not settings:
        await served.require(read, customer_id)
    deployments = {row["product"]: row for row in await read.rows(_DEPLOYMENTS, customer_id=customer_id)}
    updates = {row["product"]: row for row in await read.rows(_UPDATES, customer_id=customer_id)}
    appliances = {row["product"]: row for row in await read.rows(_APPLIANCES, customer_id=customer_id)}
    items = [
        _view(read, product, settings.get(product), deployments.get(product), _firmware(appliances.get(product), updates.get(product)))
        for product in sorted(settings.keys() | (held & settable))
    ]
    return Listing.whole(items, as_of=read.real_now)


async def one(read: Read, customer_id: UUID, product: str) -> ProductSettingsView:
    """One product of a customer.

    Raises:
        CustomerNotFound: an operator names one that no partner has.
        SettingsNotFound: it has no such product that can be set.
    """
    listed = (await of_customer(read, customer_id)).items
    found = next((one for one in listed if one.product == product), None)
    if found is None:
        raise SettingsNotFound
    return found


def _customers(relation: FromClause, *columns: Any) -> Select[Any]:
    return select(*columns).where(relation.c.customer_id == bindparam("customer_id", type_=relation.c.customer_id.type))


def _held(relation: FromClause, _shape: object) -> Select[Any]:
    return _customers(relation, relation.c.product).where(relation.c.status == any_(_STANDING)).distinct()


def _last(relation: FromClause, _shape: object) -> Select[Any]:
    newest = _customers(relation, relation).ext(distinct_on(relation.c.product))
    return newest.order_by(relation.c.product, relation.c.requested_at.desc(), relation.c.id.desc())


def _counted(relation: FromClause, _shape: object) -> Select[Any]:
    required = func.count().filter(relation.c.update_required).label("requiring")
    return _customers(relation, relation.c.product, func.count().label("all_of_them"), required).group_by(relation.c.product)


def _set(relation: FromClause, _shape: object) -> Select[Any]:
    return _customers(relation, *ProductSettingsView.columns(relation))


_SETTINGS: Final = Reading(ProductSettings, _set, customer="customer_id")
_HELD: Final = Reading(Subscription, _held, customer="customer_id")
_DEPLOYMENTS: Final = Reading(PolicyDeployment, _last, customer="customer_id")
_UPDATES: Final = Reading(FirmwareUpdate, _last, customer="customer_id")
_APPLIANCES: Final = Reading(Appliance, _counted, customer="customer_id")


def _view(read: Read, product: str, settings: Any, deployment: Any, firmware: FirmwareView | None) -> ProductSettingsView:
    made: dict[str, Any] = {"last_deployment": LastDeploymentView.of(deployment) if deployment else None, "firmware": firmware}
    if settings is not None:
        return ProductSettingsView.of(settings, **made)
    template = {} if read.principal.kind == "customer" else dict.fromkeys(("template_id", "template_version", "template_name"))
    return ProductSettingsView(version=_NONE_YET, product=product, settings=None, updated_at=None, **template, **made)


def _firmware(appliances: Any, update: Any) -> FirmwareView | None:
    if appliances is None and update is None:
        return None
    return FirmwareView(
        appliances=appliances["all_of_them"] if appliances else 0,
        requiring_update=appliances["requiring"] if appliances else 0,
        update_status=update["status"] if update else None,
        update_requested_at=update["requested_at"] if update else None,
    )
