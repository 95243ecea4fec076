"""An upstream that costs next to nothing: every request gets the same small answer."""

import asyncio
import os
from typing import Final
from urllib.parse import urlsplit

import uvloop

_BODY: Final = b'{"id":"0193f0aa-0000-7000-8000-000000000000","name":"' + b"x" * 500 + b'"}'
_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class Upstream(asyncio.Protocol):
    """One connection. Heads only: it is asked by GET."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a server's is one

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            self._got = self._got[end + 4 :]
            assert self._transport is not None
            self._transport.write(_ANSWER)


async def _main() -> None:
    where = urlsplit(os.environ["PARTNERDECK_BENCH_URL"])
    server = await asyncio.get_running_loop().create_server(Upstream, where.hostname, where.port or 0)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
