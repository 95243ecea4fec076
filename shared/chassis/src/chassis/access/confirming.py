"""Confirming who may do what, where a service follows what customers tells and does not own it.

A change of rights takes effect everywhere within five seconds, whatever is slow or broken: what
this service knows is used while it is fresh, else customers is asked. Where neither helps,
changes are refused, and reading goes on until what is known is a minute old.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.access.asking import Asking
from chassis.access.freshness import Freshness
from chassis.access.rights import AccessUnconfirmed, Rights
from chassis.principal import Principal


@dataclass(frozen=True, slots=True)
class Confirming:
    freshness: Freshness
    asking: Asking

    async def unless_fresh(self, principal: Principal, headers: Mapping[str, str], *, strict: bool) -> Rights | None:
        """What customers says the principal may do; None where what is known here will do.

        Raises:
            AccessUnconfirmed: nobody can say. ``strict`` is for what may not go by old rights: changes, streams, exports.
            Refusal: customers refused.
        """
        if self.freshness.fresh:
            return None
        try:
            return await self.asking.rights(principal, headers)
        except AccessUnconfirmed:
            if strict or not self.freshness.readable:
                raise
            return None
