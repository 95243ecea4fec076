"""Capabilities read: what the partner of a reading request may do, and how an answer to that is shown."""

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.database import Read
from chassis.errors import Refusal
from chassis.http.views import View
from chassis.principal import PARTNERS
from licensing.errors import CapabilityMissing, SerialRequired
from licensing.rules import policies
from licensing.rules.capabilities import Action, Capabilities, CapabilityMatrix, Decision

_IN_PROGRAMME: Final = (
    "select exists (select from programmes where partner_id = $1 and kind = 'service_provider' and status = 'active') as in_programme"
)
_WAS_IN_PROGRAMME: Final = """
select exists (select from programmes where partner_id = $1 and kind = 'service_provider'
                and activated_at <= $2 and (ended_at is null or ended_at > $2)) as in_programme
"""


class CapabilityView(View, frozen=True, kw_only=True):
    """One decision. ``remedy`` says what to do where it is not allowed, or not without more."""

    action: Action
    allowed: bool
    rule: str
    policy_version: str
    reason: str
    remedy: str | None


async def read(reading: Read, partner_id: UUID, as_of: datetime | None = None) -> Capabilities:
    """What a partner may do, or might then: the tenant of the request, or whose rows an operator reads.

    Raises:
        PolicyMissing: no matrix was ever published.
    """
    if as_of is None:
        matrix = await policies.read(reading, CapabilityMatrix)
        in_programme = await reading.connection.fetchval(_IN_PROGRAMME, partner_id)
    else:
        matrix = await policies.then(reading, CapabilityMatrix, as_of)
        in_programme = await reading.connection.fetchval(_WAS_IN_PROGRAMME, partner_id, as_of)
    return Capabilities(standing="service_provider" if in_programme else "none", matrix=matrix.policy, version=matrix.version)


async def to_monitor(reading: Read) -> None:
    """Let customers, operators and those partners, with their API keys, go on whose programme lets them read (LIC-06).

    Raises:
        CapabilityMissing: the matrix says no.
    """
    if reading.principal.kind in PARTNERS:
        (await read(reading, reading.partner_id)).require("monitor")


def shown(decision: Decision) -> CapabilityView:
    asks: Refusal | None = {"no": CapabilityMissing(), "product_serial": SerialRequired()}.get(decision.cell)
    return CapabilityView(
        action=decision.action,
        allowed=decision.allowed,
        rule=decision.rule,
        policy_version=decision.policy_version,
        reason=asks.title if asks else "It is granted.",
        remedy=asks.remedy if asks else None,
    )
