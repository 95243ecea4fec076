"""Attention policy: what makes a customer need immediate attention, and how much (CUS-30, BEY-04)."""

from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from annotated_types import Ge, Gt, Le

from chassis.http.bodies import Body
from chassis.policies import Policy

type Severity = Literal["critical", "warning"]
type Concern = Literal["threat", "system", "licensing"]
type Reason = Literal[
    "endpoints_at_risk",
    "endpoints_unprotected",
    "activation_required",
    "agent_updates",
    "definition_updates",
    "firmware_updates",
    "pending_review",
    "trial_ends_soon",
    "trial_expired",
    "subscription_expired",
    "seats_all_used",
    "seats_exceeded",
    "provisioning_rejected",
]
type Duration = Annotated[timedelta, Gt(timedelta()), Le(timedelta(days=3660))]

COUNTED: Final[dict[Reason, str]] = {
    "endpoints_at_risk": "endpoints_at_risk",
    "endpoints_unprotected": "endpoints_disabled",
    "activation_required": "activations_required",
    "agent_updates": "agent_updates",
    "definition_updates": "definition_updates",
    "firmware_updates": "firmware_updates",
}
"""Reasons that are so many endpoints, and the column of ``customer_overview`` that counts them."""


def concern_of(reason: Reason) -> Concern:
    """Which of the three kinds of event it is (CUS-30)."""
    if reason not in COUNTED:
        return "licensing"
    return "threat" if reason == "endpoints_at_risk" else "system"


class Weight(Body):
    """How much a reason weighs. ``at_least`` so many endpoints must have it, where it is one of endpoints."""

    severity: Severity
    at_least: Annotated[int, Ge(1), Le(2**31)] = 1


class AttentionPolicy(Policy):
    """What makes a customer need immediate attention; a reason that is not named never does.

    A trial that ends within `trial_ends_within` (P7D) is to be looked after, and a product that was asked for and not
    given for `rejections_count_for` (P30D), unless it is given meanwhile.
    """

    kind: ClassVar[str] = "attention"

    trial_ends_within: Duration
    rejections_count_for: Duration
    reasons: dict[Reason, Weight]

    def weighing(self, least: Severity) -> dict[Reason, Weight]:
        """The reasons that weigh as much or more."""
        return {reason: weight for reason, weight in self.reasons.items() if least == "warning" or weight.severity == "critical"}
