"""Product settings: what a customer's product is set to, by templates and by policies that are deployed to it (CUS-65, CUS-66).

Connectors follow these facts and carry them out, so the settings travel whole. What is in them a product decides; it
may name people, and holds no secret.
"""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, JsonObject, Personal

type PolicyOutcome = Literal["applied", "failed", "superseded", "unanswered"]


class TemplateAssigned(Fact):
    """A customer's product is set as a template of its partner says, in this version of it. Whatever was set before is not any more."""

    topic: ClassVar[str] = "template.assigned"
    aggregate: ClassVar[str] = "product_settings"
    product: str
    template_id: UUID
    template_version: int
    settings: Personal[JsonObject]


class PolicyDeploymentFact(Fact):
    aggregate: ClassVar[str] = "policy_deployment"
    product: str


class PolicyDeploymentRequested(PolicyDeploymentFact):
    """The product is to take over these settings, section by section: each member replaces the one of its name.

    Its connector answers with ``product.deployment_acknowledged``, whose ``deployment_id`` is this fact's subject.
    """

    topic: ClassVar[str] = "policy.deployment_requested"
    settings: Personal[JsonObject]


class PolicyDeploymentFinished(PolicyDeploymentFact):
    """``applied`` and ``failed`` are the product's word; ``superseded`` by a newer request, ``unanswered`` for too long."""

    topic: ClassVar[str] = "policy.deployment_finished"
    outcome: PolicyOutcome
