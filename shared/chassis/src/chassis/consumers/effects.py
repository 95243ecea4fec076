"""Handing events to a step: many under one savepoint while all goes well, else each under its own."""

from collections.abc import Sequence
from typing import Any

from chassis.consumers.events import Event, Tombstone
from chassis.consumers.handlers import Step
from chassis.database.worker import Work
from chassis.failures import Poison, Verdict, judge, reason_of


async def handle_together(work: Work, handler: Step[Any], batch: Sequence[Event[Any] | Tombstone | Poison]) -> bool:
    """Let events take effect under one savepoint, which is cheap; answers False, and nothing has happened, where one of them cannot."""
    events = [one for one in batch if isinstance(one, Event)]
    if len(events) < len(batch):
        return False
    try:
        await work.look_at_clocks([event.envelope.partner_id for event in events])
        async with work.together():
            for event in events:
                async with work.item(event.envelope.partner_id, cause=event.envelope, at=event.envelope.effective_time) as tx:
                    await handler.handle(tx, event)
    except Exception as failure:
        if judge(failure) is not Verdict.POISON:
            raise
        return False
    return True


async def handle(work: Work, handler: Step[Any], one: Event[Any] | Tombstone | Poison) -> str | None:
    """Let an event take effect, or say why it cannot."""
    if not isinstance(one, Event):
        return str(one)
    try:
        async with work.item(one.envelope.partner_id, cause=one.envelope, at=one.envelope.effective_time) as tx:
            await handler.handle(tx, one)
    except Exception as failure:
        if judge(failure) is not Verdict.POISON:
            raise
        return reason_of(failure)
    return None
