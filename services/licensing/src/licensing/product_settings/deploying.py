"""Deploying: policy settings go to a customer's product, which says whether it took them over (CUS-66).

One policy is on its way to a product at a time: a newer one takes the place of the one before. What
no product answers for a week has failed to arrive, and says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from chassis import due
from chassis.database import Read, Transaction
from chassis.due import DueItem
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.licensing.product_settings import PolicyDeploymentRequested
from contracts.records import JsonObject
from licensing.rules import deployments, offered, products, served, setting
from licensing.rules.deployments import DeploymentStatus
from licensing.rules.telling import tell_deployment
from licensing.tables.product_settings import PolicyDeployment

PATIENCE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPolicy:
    """``settings`` are the policy: each member replaces the one of its name in what the product is set to."""

    customer_id: UUID
    product: str
    settings: dict[str, Any]
    job_id: UUID


class DeploymentView(View, frozen=True, kw_only=True):
    """A policy that was sent to a customer's product. `detail` is what the product said of it; `job_id` is the job it was sent by."""

    id: UUID
    version: int
    customer_id: UUID
    product: str
    settings: Stored[JsonObject]
    status: DeploymentStatus
    detail: str | None
    job_id: UUID
    requested_at: datetime
    finished_at: datetime | None


async def deploy(tx: Transaction, command: DeployPolicy) -> PolicyDeployment:
    """Send a policy to a customer's product.

    Raises:
        NotSupported: the product has no policies.
        CustomerNotServed, NotOffered, ProductNotHeld: it is not done with this customer now.
    """
    await products.supporting(tx, command.product, "policies")
    customer = await offered.admit(tx, offered.DEPLOY_POLICY, command.customer_id, command.product)
    await setting.alone(tx, command.customer_id, command.product)
    before = await _open(tx, command.customer_id, command.product)
    if before is not None:
        await deployments.finish(tx, before, "superseded")
    deployment = PolicyDeployment(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        customer_id=command.customer_id,
        product=command.product,
        settings=command.settings,
        status="requested",
        job_id=command.job_id,
        data_region=customer.data_region,
        requested_at=tx.now,
    )
    tx.session.add(deployment)
    await tell_deployment(tx, deployment, PolicyDeploymentRequested(product=command.product, settings=command.settings))
    await due.plan(tx, deployments.UNANSWERED, deployment.id, slot="answer", at=tx.now + PATIENCE)
    return deployment


async def give_up(tx: Transaction, item: DueItem) -> None:
    """No product has answered in time.

    Raises:
        Retry: the customer is being moved.
    """
    deployment = await tx.session.get(PolicyDeployment, (tx.partner_id, item.subject))
    if deployment is None:
        return
    await served.stay(tx, deployment.customer_id)
    await setting.alone(tx, deployment.customer_id, deployment.product)
    await tx.session.refresh(deployment, with_for_update=True)
    if deployment.status == "requested":
        await deployments.finish(tx, deployment, "unanswered")


_SORTS: Final = Sorts({"requested_at": ("requested_at", datetime)}, default="-requested_at", last=("id", UUID))
_DEPLOYMENTS: Final = Paged(PolicyDeployment, DeploymentView, _SORTS, customer="customer_id")


async def page(read: Read, wanted: Wanted, **filters: Any) -> Listing[DeploymentView]:
    """Newest first, unless asked otherwise. Filters: customer_id, product, status, job_id."""
    return await _DEPLOYMENTS.page(read, wanted, **filters)


async def _open(tx: Transaction, customer_id: UUID, product: str) -> PolicyDeployment | None:
    mine = (PolicyDeployment.partner_id == tx.partner_id, PolicyDeployment.customer_id == customer_id, PolicyDeployment.product == product)
    found = select(PolicyDeployment).where(*mine, PolicyDeployment.status == "requested").with_for_update()
    return (await tx.session.scalars(found)).one_or_none()
