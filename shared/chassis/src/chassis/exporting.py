"""Exporting: recorded traces are sent to a collector by OTLP over HTTP, in the background.

The gateway decides which requests are recorded, whatever the caller says about it; a process
behind it obeys, and decides alone about what nobody asked for (work whose time has come).
A collector that is away costs the spans, nothing else.
"""

import logging
import random
from collections.abc import Sequence
from typing import Final, override

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

_SEND_WITHIN: Final = 2
"""Seconds; also what a process that ends waits at most for its last spans."""
_SEND_EVERY_MS: Final = 1_000
_MOST_LINKS: Final = 512


def provider(service: str, url: str, share: float, *, decides: bool) -> TracerProvider:
    """Records traces and sends them to ``url`` until it is shut down: ``share`` of those that begin here.

    ``decides`` is for the gateway: of those that a caller began, too.
    """
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    made = TracerProvider(
        sampler=sampler(share, decides=decides),
        resource=Resource({"service.name": service, "service.namespace": "partnerdeck"}),
        span_limits=SpanLimits(max_links=_MOST_LINKS),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=url, timeout=_SEND_WITHIN)
    made.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_SEND_EVERY_MS))
    return made


def sampler(share: float, *, decides: bool = False) -> Sampler:
    """Which spans are recorded."""
    if decides:
        chance = _Chance(share)
        return ParentBased(chance, remote_parent_sampled=chance, remote_parent_not_sampled=chance)
    return ParentBased(_Linked(share))


class _Chance(Sampler):
    """By a number of its own: the trace's id is the caller's, who would choose it so that all is recorded."""

    def __init__(self, share: float) -> None:
        self._share = share

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        chosen = random.random() < self._share  # noqa: S311 (nothing is kept secret by it)
        return SamplingResult(Decision.RECORD_AND_SAMPLE if chosen else Decision.DROP, attributes, trace_state)

    @override
    def get_description(self) -> str:
        return f"Chance{{{self._share}}}"


class _Linked(Sampler):
    """What begins a trace is recorded when it was caused by something that is, else by chance."""

    def __init__(self, share: float) -> None:
        self._chance = TraceIdRatioBased(share)

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if any(link.context.trace_flags.sampled for link in links or ()):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        return self._chance.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    @override
    def get_description(self) -> str:
        return f"Linked{{{self._chance.get_description()}}}"
