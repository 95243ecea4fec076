# ruff: noqa: INP001 - a script of its own, no package
"""The table of metrics, made from what the code registers.

python docs/metrics/generate.py write|check
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

import chassis
import customers
import gateway
import licensing
import notifications
import reporting
from chassis.metrics import REGISTRY

FILE: Final = Path(__file__).with_name("README.md")
BOUNDED: Final[dict[str, str]] = {
    "check": "the checks of readiness",
    "consumer": "the consumer groups of the service",
    "kind": "the kinds of due work",
    "lane": "`urgent`, `usual`, `bulk`",
    "outcome": "`known`, or the code of the refusal",
    "method": "the methods of HTTP, else `other`",
    "pool": "`reads`, `changes`, `work`",
    "route": "the path templates of the service",
    "service": "the services behind the gateway",
    "standing": "`parked`, `blocked`",
    "status": "the statuses of HTTP; 499 when the caller left",
}
"""What a label's values are. None names a partner, a customer or a user: their number is not ours to bound."""
HEAD: Final = """# Metrics

Made from the code by `make docs`. Every process gives its own at `/metrics` in Prometheus' text format, beside those of the process
(`process_*`) and of Python (`python_info`); the gateway does so at the port that `GATEWAY_METRICS_PORT` names. Labels have few
values: none names a partner, a customer or a user.

"""


def rendered() -> str:
    """What belongs into the file."""
    for package in (chassis, customers, licensing, reporting, notifications, gateway):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    rows = sorted(_row(metric) for metric in _metrics())
    return HEAD + "| Metric | Kind | Labels | What it says |\n|---|---|---|---|\n" + "".join(rows)


def _metrics() -> Iterable[MetricWrapperBase]:
    return {one for one in REGISTRY._names_to_collectors.values() if isinstance(one, MetricWrapperBase)}  # noqa: SLF001 (no public way)


def _row(metric: MetricWrapperBase) -> str:
    kind = next(name for kind, name in ((Counter, "counter"), (Gauge, "gauge"), (Histogram, "histogram")) if isinstance(metric, kind))
    name = f"{metric._name}_total" if kind == "counter" else metric._name  # noqa: SLF001
    labels = "; ".join(f"`{label}`: {BOUNDED[label]}" for label in metric._labelnames)  # noqa: SLF001
    return f"| `{name}` | {kind} | {labels} | {metric._documentation} |\n"  # noqa: SLF001


def main(verb: str) -> int:
    """0 when the file is what the code says, else 1."""
    said = rendered()
    if verb == "write":
        FILE.write_text(said, encoding="utf-8")
    if FILE.exists() and FILE.read_text(encoding="utf-8") == said:
        return 0
    sys.stderr.write("docs/metrics/README.md is not what the code says: run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
