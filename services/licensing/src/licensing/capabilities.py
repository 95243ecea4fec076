"""Capabilities as a client asks for them: which actions are open to this partner, by which rule (LIC-06)."""

from chassis.database import Read
from chassis.http.views import View
from licensing.rules import standings
from licensing.rules.capabilities import Standing
from licensing.rules.standings import CapabilityView


class CapabilitiesView(View, frozen=True, kw_only=True):
    standing: Standing
    policy_version: str
    items: list[CapabilityView]


async def of_caller(read: Read) -> CapabilitiesView:
    """Every action of the matrix, decided for the tenant of the request."""
    may = await standings.read(read, read.partner_id)
    items = [standings.shown(may.decide(action)) for action in sorted(may.matrix.actions)]
    return CapabilitiesView(standing=may.standing, policy_version=str(may.version), items=items)
