"""Load: a client of HTTP that costs so little that it does not disturb what it measures.

Requests are ready bytes; answers are looked at for their status and length, and no further.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Final
from urllib.parse import urlsplit

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"


class Failed(Exception):
    """Something was answered that is no success."""


@dataclass(slots=True)
class Driven:
    """What a load was answered: seconds of each request, and of all."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    def percentile(self, of_hundred: int) -> float:
        return quantiles(self.took, n=100, method="inclusive")[of_hundred - 1]


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who asks one server with the same headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str) -> bytes:
        return self._request("GET", path, {}, b"")

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> bytes:
        encoded = json.dumps(body).encode()
        said = {"content-type": "application/json", "content-length": str(len(encoded)), **headers}
        return self._request("POST", path, {name.replace("_", "-"): value for name, value in said.items()}, encoded)

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {urlsplit(self.url).netloc}"]
        lines += [f"{name}: {value}" for name, value in {**self.headers, **headers}.items()]
        return "\r\n".join(lines).encode() + _END + body

    async def drive(self, requests: Iterator[bytes], *, clients: int, most: int = 1_000_000, seconds: float = 60.0) -> Driven:
        """Send requests from so many clients at once, each when its last was answered, until one of the bounds is reached.

        Raises:
            Failed: an answer was not 2xx.
        """
        driven = Driven()
        lines = await asyncio.gather(*(_Line.to(self.url) for _ in range(clients)))
        began = time.perf_counter()
        ends = began + seconds
        left = iter(range(most))

        async def one(line: "_Line") -> None:
            for _ in left:
                sent = time.perf_counter()
                if sent >= ends:
                    return
                await line.ask(next(requests))
                driven.took.append(time.perf_counter() - sent)

        try:
            await asyncio.gather(*(one(line) for line in lines))
        finally:
            driven.seconds = time.perf_counter() - began
            for line in lines:
                line.close()
        return driven


class _Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._got = b""
        self._answered: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def to(cls, url: str) -> "_Line":
        where = urlsplit(url)
        _, line = await asyncio.get_running_loop().create_connection(cls, where.hostname or "", where.port or 0)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's is one

    async def ask(self, request: bytes) -> None:
        assert self._transport is not None
        self._got = b""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answered

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        head = self._got.find(_END)
        at = self._got.lower().find(_LENGTH, 0, head + 2) if head >= 0 else -1
        if at < 0 or self._answered is None or self._answered.done():
            return
        length = int(self._got[at + len(_LENGTH) : self._got.index(b"\r\n", at + 2)])
        if len(self._got) < head + len(_END) + length:
            return
        if self._got[9:10] == b"2":
            self._answered.set_result(None)
        else:
            self._answered.set_exception(Failed(self._got.decode(errors="replace")[:2000]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("closed before it answered"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
