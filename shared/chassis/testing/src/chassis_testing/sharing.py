"""Which tests go to one worker: those that share servers of their own, which are started once and looked at in their order.

By where a test stands: marks (``xdist_group``) do not reach the scheduler since pytest 9.2, which nobody is told
(pytest-dev/pytest-xdist#1386).
"""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER: Final = {
    "tests/journeys/test_up.py": "up",
    "tests/journeys/": "suite",
    "tests/authorisation/": "suite",
    "tests/walls/test_walls.py": "walls",
    "deploy/tests/": "compose",
    "shared/contracts/": "contracts",
}
"""What stands there goes together; the first that fits counts. The largest groups go first."""
_COSTLY: Final = "suite"
"""A dozen processes, never quite idle: the worker that has them takes nothing else and ends, where others are left to go on."""
_ENOUGH: Final = 3


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
    """Hands each test to whichever worker is free, and each group as a whole to one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for place, group in TOGETHER.items() if nodeid.startswith(place)), nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        if _COSTLY not in self.assigned_work.get(node, ()) or len(self.registered_collections) < _ENOUGH:
            super()._reschedule(node)
        elif not node.shutting_down:
            node.shutdown()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    return Sharing(config, log)
