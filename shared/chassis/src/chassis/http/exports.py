"""Exports: lists as CSV files of any length, streamed from the database as it writes them.

PostgreSQL makes the bytes (``COPY``) and nothing here looks at a row, so memory stays flat and
neighbours are not kept waiting. Before each piece the caller's rights are looked at again when two
seconds have passed: whether it may read at all, and whether its roles show it the same customers
still. Whatever ends an export early breaks the answer off before its end, which every client of HTTP
is told: a file that arrived whole is whole.

    _EXPORT = Reading(House, lambda r, given: narrowed(select(cell(r.c.name), moment(r.c.built_at)), r, given), customer="id")
    return Export(call, "houses", lambda read, sink: read.copy(_EXPORT, sink, within=LONGEST), chosen=filters)
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final, override

import structlog
from sqlalchemy import ColumnElement, Text, case, cast, func, literal_column
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.database import Read
from chassis.database.audit import Subject
from chassis.database.reading import Sink
from chassis.errors import Kind, Refusal
from chassis.http.calls import Call

log = structlog.get_logger()

LONGEST: Final = 600.0
"""Seconds that one export may take."""
MOST_AT_ONCE: Final = 2
"""Each holds one of a process' few connections for reading."""
_TAKEN_WITHIN: Final = 20.0
"""Seconds in which the caller must take each piece."""
_BEGINS_FORMULA: Final[ColumnElement[str]] = literal_column(r"E'^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]'")
_UTC: Final[ColumnElement[str]] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")

type Write = Callable[[Read, Sink], Awaitable[None]]


class TooManyExports(Refusal):
    """Others are being exported just now."""

    kind = Kind.UNAVAILABLE
    code = "too_many_exports"
    remedy = "Try again in a moment."


class _Left(Exception):
    """The caller has gone."""


_running: Final = set["Export"]()


def cell(column: ColumnElement[Any], name: str | None = None) -> ColumnElement[str]:
    """A text as a cell, under its own name or another. Where a spreadsheet would take it for a formula, it begins with '."""
    said = cast(column, Text)
    return case((said.op("~")(_BEGINS_FORMULA), literal_column("''''").op("||")(said)), else_=said).label(
        name or str(getattr(column, "name", ""))
    )


def moment(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A time as a cell, as JSON has it: RFC 3339 in UTC."""
    return func.to_char(func.timezone(literal_column("'UTC'"), column), _UTC).label(str(getattr(column, "name", "")))


class Export(Response):
    """A CSV file in UTF-8, its first line the names of its columns. ``write`` gives the rows to a sink; ``chosen`` is audited."""

    media_type = "text/csv"
    suffix: ClassVar[str] = "csv"

    def __init__(self, call: Call, name: str, write: Write, *, chosen: Mapping[str, Any]) -> None:
        super().__init__(headers={"content-disposition": f'attachment; filename="{name}.{self.suffix}"', "cache-control": "no-store"})
        del self.headers["content-length"]
        self._call = call
        self._write = write
        self._chosen = dict(chosen)
        self._begun = False

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. What is refused before its first piece is a problem like any other; later it breaks the answer off.

        Raises:
            Refusal: the caller may not read, or too much is exported just now.
        """
        if len(_running) >= MOST_AT_ONCE:
            raise TooManyExports(retry_after=2)
        _running.add(self)
        leaving = asyncio.create_task(_gone(receive))
        try:
            await self._stream(send, leaving)
        except _Left:
            return
        except TimeoutError:
            if not self._begun:
                raise
            log.warning("export_cut", code="too_slow")
        except Refusal as refusal:
            if not self._begun:
                raise
            log.warning("export_cut", code=refusal.code)
        finally:
            leaving.cancel()
            _running.discard(self)

    async def _stream(self, send: Send, leaving: "asyncio.Task[None]") -> None:
        async with self._call.read(strict=True) as read:
            shown = await self._call.shown(read)

            async def sink(piece: bytes) -> None:
                if leaving.done():
                    raise _Left
                await self._call.still_allowed(shown=shown)
                async with asyncio.timeout(_TAKEN_WITHIN):
                    await self._begin(send)
                    await send({"type": "http.response.body", "body": piece, "more_body": True})

            await self._call.note(Subject(after=self._chosen))
            await self._write(read, sink)
        await send({"type": "http.response.body", "body": b""})

    async def _begin(self, send: Send) -> None:
        if not self._begun:
            self._begun = True
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
