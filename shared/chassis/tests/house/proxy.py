"""A TCP proxy that can be cut: nothing passes any more, and nobody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

_PIECE = 65_536


class Proxy:
    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def cut(self) -> None:
        self._open.clear()

    def restore(self) -> None:
        """What was under way arrives late."""
        self._open.set()

    def desert(self) -> None:
        """What is under way never arrives, and nobody is told; new connections pass."""
        self._open.clear()
        self._open = asyncio.Event()
        self._open.set()

    def drop(self) -> None:
        """What was under way is lost with its connections; new ones pass."""
        for task in self._tasks:
            task.cancel()
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._tasks.add(task)

        def ended(_task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            writer.close()  # a task that is cancelled before its first step closes nothing

        task.add_done_callback(ended)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gate = self._open
        with suppress(OSError):
            await gate.wait()
            there, back = await asyncio.open_connection(*self._target)
            with closing(back):
                ends = [asyncio.create_task(self._pass(gate, reader, back)), asyncio.create_task(self._pass(gate, there, writer))]
                try:
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for end in ends:
                        end.cancel()
                    await asyncio.gather(*ends, return_exceptions=True)

    async def _pass(self, gate: asyncio.Event, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(_PIECE):
                await gate.wait()
                sink.write(data)
                await sink.drain()
        await gate.wait()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1")
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
