"""Parts: what one service says for an answer that the gateway composes of several.

Every part is asked with the caller's own token, so each service decides by itself what the caller
may see. What is late, down or refused is a part too: it says why.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec
from pyreqwest.exceptions import RequestError
from starlette.types import Scope

from chassis.errors import Refusal
from gateway import heads
from gateway.errors import UpstreamUnavailable
from gateway.upstreams import Ask, Headers, Upstream

DEADLINE: Final = 3.0
"""Seconds that all parts of an answer have together."""
LATE: Final = "took_too_long"

_KEPT: Final = ("www-authenticate", "retry-after")
"""Headers of a refusal that is the whole answer's."""
_ASKED_WITH: Final = (b"authorization", b"partnerdeck-acting-as", b"partnerdeck-consistency", b"accept-language")


class _Said(msgspec.Struct):
    code: str = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """A part's answer. ``status`` 0 is none at all, for the reason ``code``."""

    status: int
    body: bytes = b""
    code: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def there(self) -> bool:
        return self.status == 200  # noqa: PLR2004

    @property
    def refuses(self) -> bool:
        return 400 <= self.status < 500  # noqa: PLR2004


async def ask(upstream: Upstream, target: str, headers: Headers) -> Part:
    """One part, within the deadline."""
    try:
        wanted = Ask(method="GET", target=target, headers=headers, deadline=DEADLINE + 1)
        async with asyncio.timeout(DEADLINE), upstream.asked(wanted) as response:
            body = (await response.bytes()).to_bytes()
            if response.status == 200:  # noqa: PLR2004
                return Part(response.status, body)
            kept = tuple((name, response.headers[name]) for name in _KEPT if name in response.headers)
            return Part(response.status, body, _code(body), kept)
    except TimeoutError:
        return Part(0, code=LATE)
    except Refusal as refusal:
        return Part(0, code=refusal.code)
    except RequestError:
        return Part(0, code=UpstreamUnavailable.code)


def headers_of(scope: Scope) -> Headers:
    """With what each part is asked."""
    passed = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"] if name in _ASKED_WITH]
    return [*passed, *heads.correlated(), ("x-forwarded-for", heads.address(scope))]


def _code(body: bytes) -> str:
    """The stable code of a problem."""
    try:
        return msgspec.json.decode(body, type=_Said).code
    except msgspec.MsgspecError:
        return _Said().code
