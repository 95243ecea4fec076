"""Joining: an answer's head and the first part of its body leave in one write.

uvicorn writes both apart, and with uvloop each write is a call of the system at once: the second
costs as much as a tenth of a small answer. What is written is kept until the loop has its next turn,
so a stream is not held up, and nothing waits for what may never come.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoiningProtocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(_Joining(transport))  # type: ignore[arg-type]  # it has all that is asked of it


class _Joining:
    """A transport whose writes of one turn are one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport: Final = transport
        self._kept: list[bytes] = []
        self._soon: Final = asyncio.get_running_loop().call_soon

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._kept:
            self._soon(self._write)
        self._kept.append(data)

    def close(self) -> None:
        self._write()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _write(self) -> None:
        kept, self._kept = self._kept, []
        if kept and not self._transport.is_closing():
            self._transport.write(b"".join(kept))
