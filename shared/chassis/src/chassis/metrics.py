"""Metrics that every service has. No label names a partner, a customer or a user: their number is not ours to bound."""

from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
REGISTRY: Final = CollectorRegistry()
_PROCESS: Final = (ProcessCollector(registry=REGISTRY), PlatformCollector(registry=REGISTRY))

REQUESTS: Final = Histogram(
    "http_request_seconds",
    "Requests answered, by route template and status",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
IN_HAND: Final = Gauge("http_requests_in_hand", "Requests that are being answered", registry=REGISTRY)
READY: Final = Gauge("ready", "Whether a check of readiness held when it was last looked at", ("check",), registry=REGISTRY)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    _request(method if method in _METHODS else "other", route, status).observe(seconds)


def exposition() -> bytes:
    """Everything measured, in Prometheus' text format."""
    return generate_latest(REGISTRY)


@lru_cache(maxsize=4096)
def _request(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))
