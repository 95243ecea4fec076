"""Erasing: what a service keeps of a customer that is purged, and of its users, is forgotten, and that is told (C-2).

Work of its own does it, once ``customer.purged`` has come, and tries until it is done: read models
first have to see the ending of what they follow, because whatever is told before it would bring a
row back. The rails of the service are cleared here, its own tables by ``forget``. What is told of it
still stands in the topics: states until they are compacted, facts that may name people 35 days.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, Table, select, text

from chassis import due
from chassis.audit.erasing import erase_values
from chassis.consumers.events import Event
from chassis.consumers.handlers import Step
from chassis.database.transaction import Transaction
from chassis.due import Due, DueItem, Retry
from contracts.any.erasing import CustomerErased
from contracts.customers.offboarding import CustomerPurged

ERASE: Final = "customer.erase"
_ACROSS: Final = {"across_partners": "nothing may be left of a purged customer, whosever it was once"}
_NOT_YET: Final = timedelta(seconds=1)

_RAILS: Final = {
    "planned_work": "delete from due where subject = any(:all) and kind <> :erase",
    "parked_records": """
        delete from parked
         where subject = any(:all) or headers @> cast(:partition_header as jsonb)
            or key = any(select convert_to(one::text, 'UTF8') from unnest(cast(:all as uuid[])) one)""",
    "unsent_records": "delete from outbox where lane = 3 and (partition_key = :customer or entity = any(:all))",
    "stored_answers": """
        delete from idempotency_keys k
         where exists (select from unnest(cast(:all as uuid[])) one where position(convert_to(one::text, 'UTF8') in k.body) > 0)""",
    "job_outcomes": "update job_items set detail = null where item_id = any(:all) and detail is not null",
}
"""What the rails keep beside the service's own tables; statements of ids alone, which say of how many rows it was.

A record that stood in the outbox unsent was refused by the broker; one that is only late goes out before the ending does.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A customer that is purged, the users it had, and the requests by which somebody asked for it."""

    customer_id: UUID
    user_ids: Sequence[UUID]
    request_ids: Sequence[UUID] = ()

    @property
    def everything(self) -> list[UUID]:
        return [self.customer_id, *self.user_ids, *self.request_ids]


type Forget = Callable[[Transaction, Gone], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """How one service erases. ``follows`` are its read models of customers and users, by ``id``; ``forget`` clears all else."""

    service: str
    follows: Sequence[Table]
    forget: Forget

    def step(self) -> Step[CustomerPurged]:
        """A customer was purged: plan to forget it."""
        return Step(name=f"{self.service}.erasing", record=CustomerPurged, handle=_plan)

    def due(self) -> Due:
        return Due(ERASE, self._erase)

    async def _erase(self, tx: Transaction, item: DueItem) -> None:
        users, requests = ([UUID(one) for one in item.payload.get(name, ())] for name in ("user_ids", "request_ids"))
        gone = Gone(customer_id=item.subject, user_ids=users, request_ids=requests)
        for table in self.follows:
            await _must_have_ended(tx, table, gone)
        counts = {**await self.forget(tx, gone), **await _clear_rails(tx, gone)}
        version, region = item.payload["version"], item.payload.get("data_region", "default")
        about = tx.entity("erasure", gone.customer_id, version=version, customer_id=gone.customer_id, data_region=region)
        tx.tell(CustomerErased(service=self.service, counts=counts), about=about)


async def _plan(tx: Transaction, event: Event[CustomerPurged]) -> None:
    whose = {"version": event.envelope.aggregate_version, "data_region": event.envelope.data_region}
    said = event.record.model_dump(mode="json") | whose
    await due.plan(tx, ERASE, event.envelope.subject, slot="erase", at=tx.now, payload=said)


async def _must_have_ended(tx: Transaction, table: Table, gone: Gone) -> None:
    left = select(table.c.id).where(table.c.id.in_(gone.everything)).limit(1)
    if (await tx.session.execute(left, execution_options=_ACROSS)).first() is not None:
        raise Retry(f"{table.name} has not seen the ending yet", after=_NOT_YET)


async def _clear_rails(tx: Transaction, gone: Gone) -> dict[str, int]:
    said = {
        "customer": gone.customer_id,
        "all": gone.everything,
        "erase": ERASE,
        "partition_header": f'[["ce_partitionkey", "{str(gone.customer_id).encode().hex()}"]]',
    }
    counts = {"audit_values": sum([await erase_values(tx.session, one) for one in gone.everything])}
    for name, statement in _RAILS.items():
        counts[name] = await _count(tx, statement, said)
    return counts


async def _count(tx: Transaction, statement: str, said: dict[str, Any]) -> int:
    clause = text(statement)
    done = await tx.session.execute(clause, {name: said[name] for name in clause.compile().params}, execution_options=_ACROSS)
    return done.rowcount if isinstance(done, CursorResult) else 0
