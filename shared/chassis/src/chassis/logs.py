"""Logs: one line per event, JSON in deployment, with the service's name and what the edge has bound.

The standard library's loggers (uvicorn, asyncio, the drivers) go through the same processors.
Our own lines do not pass through the standard library: that makes one of them cost a third.
Tracebacks never show the values of variables, and what the database and the validator say of a
failure is cut before they quote a row or an input: passwords and people's names are among them.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import StringIO
from types import FrameType, MappingProxyType
from typing import Any, Final, Literal, TextIO, override
from uuid import UUID

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from chassis import tracing
from contracts.envelope import Envelope

type LogFormat = Literal["json", "console"]

_NOISY: Final = {"uvicorn.access": logging.CRITICAL, "httpx": logging.WARNING, "httpcore": logging.WARNING, "aiokafka": logging.WARNING}
_QUOTED: Final = re.compile(r"(\\n|\n)\s*DETAIL:.*?(?=(\\n|\n)\[SQL|$)|, input_value=.*?(?=, input_type=)", re.DOTALL)
"""``DETAIL: Key (email)=(...) already exists``, also inside a ``repr``; pydantic's ``input_value='...'``."""

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=MappingProxyType({}))
_in_hand: ContextVar[tuple[UUID, Envelope | None] | None] = ContextVar("in_hand", default=None)


def begin(**facts: object) -> None:
    """Lines of this task say this from now on, and nothing that was said before."""
    _bound.set(facts)


def bind(**facts: object) -> None:
    """Lines of this task say this too from now on."""
    _bound.set({**_bound.get(), **facts})


@contextmanager
def about(partner_id: UUID, cause: Envelope | None) -> Iterator[None]:
    """Lines inside say for whom something is done, and what caused it. Costs nothing until one is written."""
    token = _in_hand.set((partner_id, cause))
    try:
        yield
    finally:
        _in_hand.reset(token)


def configure(service: str, log_format: LogFormat = "json", level: int = logging.INFO) -> None:
    """Set logging up for the process. uvicorn must be started with ``log_config=None``."""
    shared, rendering = _shared(service), _rendering(log_format)
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(least, level))


class _Lines:
    """Where our own lines go: each is written whole, at once."""

    def __init__(self, name: str | None = None) -> None:
        self.name: Final = name or _asking()
        self._out: Final = sys.stdout

    def msg(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    debug = info = warning = error = critical = exception = msg


def _asking() -> str:
    """The module that asked for a logger without saying its name."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 (as structlog's own factory does, once for each logger)
    while frame is not None and str(frame.f_globals["__name__"]).startswith((__name__, "structlog")):
        frame = frame.f_back
    return str(frame.f_globals["__name__"]) if frame else __name__


def merge_bound(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What was bound, under what the line says itself."""
    return {**_bound.get(), **event}


def _shared(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        event["time"] = datetime.now(UTC)
        return event

    return [merge_bound, _name_what_is_in_hand, name_service, structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]


def _name_what_is_in_hand(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    in_hand = _in_hand.get()
    if in_hand is not None:
        partner_id, cause = in_hand
        event.setdefault("partner_id", partner_id)
        if cause is not None:
            said = {"event_id": cause.id, "request_id": cause.correlation_id, "trace_id": tracing.trace_of(cause.traceparent)}
            event.update({name: value for name, value in said.items() if value})
    return event


def _rendering(log_format: LogFormat) -> list[Processor]:
    if log_format == "console":
        return [_in_words, _quote_nobody, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=_plain_traceback)]
    return [structlog.processors.ExceptionRenderer(_Tracebacks(show_locals=False)), _as_json]


def _in_words(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: str(value) if isinstance(value, UUID | datetime) else value for name, value in event.items()}


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """The line. Most quote nobody, so it is looked at once, as a whole."""
    line = _line(event)
    return _line(_quote_nobody(logger, method, event)) if _quotes(line) else line


def _line(event: EventDict) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except ValueError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(event, default=str)


def _quote_nobody(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _unquoted(value) if isinstance(value, str) else value for name, value in event.items()}


def _quotes(said: str) -> bool:
    return "DETAIL:" in said or "input_value=" in said


def _unquoted(said: str) -> str:
    return _QUOTED.sub("", said) if _quotes(said) else said


class _Tracebacks(structlog.tracebacks.ExceptionDictTransformer):
    """Tracebacks as JSON."""

    @override
    def __call__(self, exc_info: Any) -> list[dict[str, Any]]:
        told = super().__call__(exc_info)
        for one in told:
            one["exc_value"] = _unquoted(one["exc_value"])
            one["exc_notes"] = [_unquoted(note) for note in one.get("exc_notes", ())]
        return told


def _plain_traceback(out: TextIO, exc_info: Any) -> None:
    plain = StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    out.write(_unquoted(plain.getvalue()))
