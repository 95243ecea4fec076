"""The OpenAPI document of the whole, as it is given out.

Every service is asked for its own and the answers are kept for a minute. A service that cannot
be asked leaves what was last known of it in the document.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import structlog
from pyreqwest.exceptions import RequestError
from starlette.types import Scope

from chassis.errors import Refusal
from chassis.http.answers import Answer
from gateway import heads
from gateway.merging import Document, merged
from gateway.table import DOCUMENT
from gateway.upstreams import Ask, Upstream

log = structlog.get_logger(__name__)

FRESH: Final = 60.0
INCOMPLETE: Final = 2.0
"""Seconds for which a document is given out again, with all services in it and without some."""


class Documents:
    """The merged document, asked for anew every minute while somebody wants it."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, title: str, version: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstreams = upstreams
        self._info = {"title": title, "version": version}
        self._clock = clock
        self._known: dict[str, Document] = {}
        self._body = b""
        self._until = 0.0
        self._merging = asyncio.Lock()

    async def page(self, _: Scope) -> Answer:
        async with self._merging:
            if self._clock() >= self._until:
                await self._refresh()
        return Answer(status=200, body=self._body, headers=(("content-type", "application/json"), ("cache-control", "no-cache")))

    async def _refresh(self) -> None:
        asked = await asyncio.gather(*(self._fetch(upstream) for upstream in self._upstreams.values()))
        self._known |= {name: document for name, document in zip(self._upstreams, asked, strict=True) if document is not None}
        self._body = msgspec.json.encode(merged(self._known, self._info))
        self._until = self._clock() + (FRESH if all(asked) else INCOMPLETE)

    async def _fetch(self, upstream: Upstream) -> Document | None:
        try:
            ask = Ask(method="GET", target=DOCUMENT, headers=heads.correlated(), deadline=INCOMPLETE)
            async with upstream.asked(ask) as response:
                document: Document = msgspec.json.decode((await response.bytes()).to_bytes(), type=dict[str, Any])
                return document if response.status == 200 else None  # noqa: PLR2004
        except (Refusal, RequestError, msgspec.MsgspecError) as failure:
            log.warning("document_not_fetched", upstream=upstream.name, failure=repr(failure))
            return None
