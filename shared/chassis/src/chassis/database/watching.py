"""What a session changes, noted as it flushes: entities with their columns before and after.

Only while somebody's doings are audited: an event's or the clock's are nobody's.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.state import InstanceState

_CHANGES: Final = "changes of entities"
_CAPITALS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNSAID: Final = frozenset({"partner_id", "id", "version", "created_at", "updated_at"})


class WatchedSession(Session):
    """Notes what it flushes, while somebody's doings are audited."""


class WatchedAsyncSession(AsyncSession):
    sync_session_class = WatchedSession


@dataclass(slots=True)
class Change:
    """An entity as a transaction has changed it so far: the columns concerned, before and after."""

    noun: str
    id: UUID
    customer_id: UUID | None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


class Changes:
    """What a session has flushed since some moment, for one unit of work inside others."""

    def __init__(self, noted: list[Change]) -> None:
        self._noted = noted
        self._since = len(noted)

    def taken(self) -> list[Change]:
        """Take them out, so that the unit of work around does not audit them again."""
        mine = self._noted[self._since :]
        del self._noted[self._since :]
        return mine

    @contextmanager
    def kept_if_done(self) -> Iterator[None]:
        """What is undone was no change."""
        try:
            yield
        except BaseException:
            del self._noted[self._since :]
            raise


def watch(session: AsyncSession, *, audited: bool) -> Changes:
    """Note from now on what the session flushes, if it is ``audited``."""
    return Changes(session.info.setdefault(_CHANGES, []) if audited else [])


@event.listens_for(WatchedSession, "before_flush")
def _note(session: Session, _context: Any, _instances: Any) -> None:
    noted: list[Change] | None = session.info.get(_CHANGES)
    if noted is None:
        return
    noted.extend(change for entity in session.new if (change := _change(entity, "made")) is not None)
    noted.extend(change for entity in session.dirty if (change := _change(entity, "changed")) is not None)
    noted.extend(change for entity in session.deleted if (change := _change(entity, "deleted")) is not None)


def _change(entity: Any, how: Literal["made", "changed", "deleted"]) -> Change | None:
    state: InstanceState[Any] = inspect(entity)
    columns, now = state.mapper.columns, state.dict
    if "id" not in columns:
        return None
    change = Change(_CAPITALS.sub("_", type(entity).__name__).lower(), now["id"], now.get("customer_id"))
    said = [name for name in columns.keys() if name in now and name not in _UNSAID]  # noqa: SIM118 (iterated, it gives the columns)
    if how == "made":
        change.after = {name: now[name] for name in said}
    elif how == "deleted":
        change.before = {name: now[name] for name in said}
    else:
        changed = [name for name in said if state.attrs[name].history.has_changes()]
        change.before = {name: next(iter(state.attrs[name].history.deleted), None) for name in changed}
        change.after = {name: now[name] for name in changed}
    for values in (change.before, change.after):
        values.update((name, None) for name in values if columns[name].info.get("passing"))
    return change if change.before or change.after else None
