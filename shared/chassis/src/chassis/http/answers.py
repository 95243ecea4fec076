"""An answer as it goes out: status, headers, ready bytes.

It exists before it is sent, so that a change can store it beside what it changed.
"""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import Send

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``headers`` hold everything but the length, which follows from the body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", JSON),)

    def response(self) -> Response:
        return Response(self.body, status_code=self.status, headers=dict(self.headers))

    async def send(self, send: Send) -> None:
        """Send it from a pure ASGI function, where there is no framework to do it."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
