"""Deployments: what a product says it did with what Partnerdeck asked of it, a policy or a firmware update."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.products.reports import Note, Report

type DeploymentOutcome = Literal["applied", "failed"]


class ProductDeploymentAcknowledged(Report):
    """``deployment_id`` is the one of the request. ``detail`` says why it failed, for people, and names nobody."""

    topic: ClassVar[str] = "product.deployment_acknowledged"
    aggregate: ClassVar[str] = "deployment"
    entity: ClassVar[str] = "deployment_id"
    deployment_id: UUID
    outcome: DeploymentOutcome
    detail: Note | None = None
