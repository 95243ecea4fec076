"""Traces: what one request causes, over HTTP and Kafka, as spans of one trace.

A trace is passed on as W3C's ``traceparent``: in headers, rows of the outbox and records. Whether
it is recorded is decided once, where it begins, and everything after it obeys. A batch has many
causes, so its span is a trace of its own that links to them; what it does about one event
continues that event's trace. Names and attributes are ours: nothing of what people said.

Unless ``recording`` surrounds it nothing is recorded, and each function here is one comparison.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

type Kind = Literal["server", "consumer", "internal"]
type Attributes = Mapping[str, str | int]

_KINDS: Final[dict[Kind, SpanKind]] = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER, "internal": SpanKind.INTERNAL}
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_TRACE_ID: Final = slice(3, 35)
_NOBODY: Final = Context()
_MOST_LINKS: Final = 500


@dataclass(slots=True)
class _Recorder:
    tracer: Tracer | None = None


_recorder: Final = _Recorder()


class Segment:
    """One piece of a trace. ``traceparent`` is what is passed on from here; None when nobody began a trace."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, traceparent: str | None, span: Span | None = None) -> None:
        self.traceparent: Final = traceparent
        self._span: Final = span

    def conclude(self, name: str, attributes: Attributes, *, failed: bool = False) -> None:
        """Say at its end what it was."""
        if self._span is not None and self._span.is_recording():
            self._span.update_name(name)
            self._span.set_attributes(attributes)
            if failed:
                self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def recording(service: str, url: str | None, share: float, *, decides: bool = False) -> Iterator[None]:
    """Record what happens inside and send it to a collector's ``url``, if there is one; see ``exporting.provider``."""
    if url is None:
        yield
        return
    from chassis.exporting import provider  # noqa: PLC0415 (the SDK takes a quarter of a second to import, and few processes need it)

    made = provider(service, url, share, decides=decides)
    record_with(made.get_tracer("partnerdeck"))
    try:
        yield
    finally:
        record_with(None)
        made.shutdown()


def record_with(tracer: Tracer | None) -> None:
    """Record from now on, or no more."""
    _recorder.tracer = tracer


def valid(traceparent: str) -> bool:
    """Whether it is a W3C traceparent of version 00."""
    return _TRACEPARENT.fullmatch(traceparent) is not None


def trace_of(traceparent: str | None) -> str | None:
    """The trace's id, as it stands in the log."""
    return traceparent[_TRACE_ID] if traceparent else None


def current() -> str | None:
    """The traceparent of the segment in hand; None outside of one, or when nothing is recorded."""
    if _recorder.tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return _text(context) if context.is_valid else None


@contextmanager
def segment(
    name: str, *, parent: str | None = None, links: Iterable[str | None] = (), kind: Kind = "internal", attributes: Attributes | None = None
) -> Iterator[Segment]:
    """Do something as a piece of the trace ``parent``, or as the first of a new one.

    The segment that surrounds it in this process is linked, unless it is of the same trace.
    """
    if _recorder.tracer is None:
        yield Segment(parent)
        return
    around = trace.get_current_span().get_span_context()
    begun = _context(parent)
    found = [context for link in links if (context := _context(link)) is not None]
    if begun is not None and around.is_valid and around.trace_id != begun.trace_id:
        found.append(around)
    with _recorder.tracer.start_as_current_span(
        name,
        context=trace.set_span_in_context(NonRecordingSpan(begun), _NOBODY) if begun else _NOBODY,
        kind=_KINDS[kind],
        attributes=attributes,
        links=[Link(context) for context in found],
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield Segment(_text(span.get_span_context()), span)
        except Exception as failure:
            span.set_attribute("error.type", type(failure).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def batch(name: str, causes: Iterable[Iterable[tuple[str, bytes | None]]], attributes: Attributes) -> Iterator[None]:
    """Work off a batch: one segment with links to those of its ``causes``, by their records' headers, that are recorded; else none."""
    recorded = _recorded(causes) if _recorder.tracer is not None else ()
    if not recorded:
        yield
        return
    with segment(name, links=recorded, kind="consumer", attributes=attributes):
        yield


def _recorded(causes: Iterable[Iterable[tuple[str, bytes | None]]]) -> list[str]:
    said = (value.decode("ascii", "replace") for headers in causes for name, value in headers if name == "traceparent" and value)
    return [text for text in dict.fromkeys(said) if (context := _context(text)) and context.trace_flags.sampled][:_MOST_LINKS]


def _context(traceparent: str | None) -> SpanContext | None:
    said = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if said is None:
        return None
    return SpanContext(int(said[1], 16), int(said[2], 16), is_remote=True, trace_flags=TraceFlags(int(said[3], 16) & TraceFlags.SAMPLED))


def _text(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & TraceFlags.SAMPLED:02x}"
