"""Outgoing: what customers asks of addresses that somebody else has chosen.

A host is looked up once, none of its addresses may be a private one, and the connection goes to the
address that was looked at; nothing is followed elsewhere, and no answer is longer or slower than it needs to be.
"""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import httpx

_LONGEST: Final = 256 * 1024
_PATIENCE: Final = 5.0


class NotReached(Exception):
    """There was no answer that could be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """``private`` lets it ask private addresses, and without encryption: for providers inside one's own network, and tests."""

    private: bool = False

    async def get(self, url: str) -> Any:
        """The JSON that stands there.

        Raises:
            NotReached: nothing usable does.
        """
        return await self._ask("GET", url)

    async def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str]) -> Any:
        """The JSON that a form is answered with.

        Raises:
            NotReached: nothing usable came back.
        """
        return await self._ask("POST", url, data=dict(form), auth=auth)

    async def _ask(self, method: str, address: str, **more: Any) -> Any:
        try:
            async with asyncio.timeout(_PATIENCE):
                url = self._checked(httpx.URL(address))
                pinned = url.copy_with(host=await self._looked_up(url))
                headers = {"host": url.netloc.decode("ascii"), "accept": "application/json"}
                extensions = {"sni_hostname": url.host}
                async with (
                    httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
                    client.stream(method, pinned, headers=headers, extensions=extensions, **more) as answer,
                ):
                    if answer.status_code != httpx.codes.OK:
                        raise NotReached(f"answered {answer.status_code}")
                    return httpx.Response(httpx.codes.OK, content=await _read(answer)).json()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as failure:
            raise NotReached(type(failure).__name__) from failure

    def _checked(self, url: httpx.URL) -> httpx.URL:
        if url.scheme not in ({"https", "http"} if self.private else {"https"}) or not url.host or url.userinfo:
            raise NotReached("no address to ask")
        return url

    async def _looked_up(self, url: httpx.URL) -> str:
        """The first address of a host, where all of them may be asked."""
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not addresses or (not self.private and not all(ip_address(one).is_global for one in addresses)):
            raise NotReached("a private address")
        return addresses[0]


async def _read(answer: httpx.Response) -> bytes:
    read = b""
    async for part in answer.aiter_bytes():
        read += part
        if len(read) > _LONGEST:
            raise NotReached("too long")
    return read
