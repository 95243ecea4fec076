"""How full the pools of connections are: one that is used up is why requests wait."""

from collections.abc import Callable
from typing import Final, Literal

from prometheus_client import Gauge

from chassis.metrics import REGISTRY

type Pool = Literal["changes", "reads", "work", "rights"]

IN_USE: Final = Gauge("database_connections_in_use", "Connections that somebody holds", ("pool",), registry=REGISTRY)
MOST: Final = Gauge("database_connections_most", "Connections that may be held at once", ("pool",), registry=REGISTRY)


def show(pool: Pool, in_use: Callable[[], int], most: int) -> None:
    """Show a pool from now on."""
    IN_USE.labels(pool).set_function(in_use)
    MOST.labels(pool).set(most)


def hide(pool: Pool) -> None:
    """Its pool is closed."""
    IN_USE.labels(pool).set_function(int)
    MOST.labels(pool).set(0)
