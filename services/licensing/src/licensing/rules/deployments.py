"""Deployments: how a policy on its way to a customer's product ends (CUS-66)."""

from typing import Final, Literal

from chassis import due
from chassis.database import Transaction
from contracts.licensing.product_settings import PolicyDeploymentFinished, PolicyOutcome
from licensing.rules import setting
from licensing.rules.telling import tell_deployment
from licensing.tables.product_settings import PolicyDeployment

type DeploymentStatus = Literal["requested", "applied", "failed", "superseded", "unanswered"]

UNANSWERED: Final = "policy.unanswered"


async def finish(tx: Transaction, deployment: PolicyDeployment, outcome: PolicyOutcome, *, detail: str | None = None) -> None:
    """End it, and let what was applied stand in what the product is set to. Whoever calls is alone with the product (``setting.alone``)."""
    deployment.status, deployment.detail, deployment.finished_at = outcome, detail, tx.now
    if outcome == "applied":
        await setting.overlay(tx, deployment.customer_id, deployment.product, deployment.settings)
    await due.withdraw(tx, UNANSWERED, deployment.id)
    await tell_deployment(tx, deployment, PolicyDeploymentFinished(product=deployment.product, outcome=outcome))
