"""Due work: what a service will do when its time has come.

A row is planned in the transaction that made it necessary, unique per subject and slot,
claimed with SKIP LOCKED, and worked off in one transaction with everything it changes and
tells. Its business time is its own ``due_at``, however late it runs. There is no other
scheduler.
"""

from chassis.due.kinds import Due, DueItem, Retry
from chassis.due.planning import DueRow, plan, withdraw
from chassis.due.working import DueWorker

__all__ = ["Due", "DueItem", "DueRow", "DueWorker", "Retry", "plan", "withdraw"]
