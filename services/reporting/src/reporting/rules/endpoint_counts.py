"""How many endpoints of a customer need something, kept in the customer's row for filters, orders and attention.

Counted anew from the endpoints' rows for each customer that a batch touches, in the batch's own
transaction, so a replay counts the same and the order of arrival does not matter.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import text

from chassis.database.worker import Work

_RECOUNT: Final = text("""
update customer_overview c
   set endpoints_at_risk = now.at_risk, endpoints_disabled = now.disabled, activations_required = now.activations,
       agent_updates = now.agents, definition_updates = now.definitions, firmware_updates = now.firmware
  from (
    select o.id,
           count(*) filter (where e.infected_items > 0) as at_risk,
           count(*) filter (where e.protection = 'disabled') as disabled,
           count(*) filter (where e.protection = 'activation_required') as activations,
           count(*) filter (where e.agent_update_required) as agents,
           count(*) filter (where e.definitions_update_required) as definitions,
           count(*) filter (where e.firmware_update_required) as firmware
      from customer_overview o
      left join endpoints e on e.partner_id = o.partner_id and e.customer_id = o.id and not e.deleted
     where o.id = any(:customers)
     group by o.partner_id, o.id) now
 where c.id = now.id
   and (c.endpoints_at_risk, c.endpoints_disabled, c.activations_required, c.agent_updates, c.definition_updates, c.firmware_updates)
       is distinct from (now.at_risk, now.disabled, now.activations, now.agents, now.definitions, now.firmware)
""")


async def recount(work: Work, customers: Collection[UUID]) -> None:
    """Bring what the rows of these customers say about their endpoints up to date."""
    await work.session.execute(
        _RECOUNT,
        {"customers": sorted(set(customers))},
        execution_options={"across_partners": "a batch brings customers of many, each with its own partner's endpoints"},
    )
