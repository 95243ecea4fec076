"""Asking the other services for their parts of a bundle, in the name of whoever wants it.

They are asked through the gateway, which knows where they are, with a token that is made for the
purpose: each of them checks itself what that user may be shown. One that does not say its part makes the whole
bundle wait, so there is none without it.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import httpx
import msgspec

from chassis.bundles.archive import File
from chassis.bundles.portable import PartView
from chassis.http.admission import ACTING_AS
from chassis.principal import Principal
from chassis.tokens import Issuer
from customers.errors.bundles import PartMissing, PartRefused

SERVICES: Final = ("licensing", "notifications")
"""Who takes part, besides customers."""
_DEADLINE: Final = 10.0
_AGAIN_AFTER: Final = 5
_FINAL: Final = frozenset({httpx.codes.FORBIDDEN, httpx.codes.UNAUTHORIZED})


class _Problem(msgspec.Struct):
    code: str = ""
    detail: str = ""


class Parts:
    """``address`` is the gateway's; without one customers takes part alone, and a bundle's manifest says so."""

    def __init__(self, issuer: Issuer, address: str | None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._issuer = issuer
        self._address = address
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self.services: Final = SERVICES if address else ()

    async def of(self, principal: Principal, customer_id: UUID, now: datetime) -> dict[str, dict[str, File]]:
        """The files of each service, as they are shown to this principal.

        Raises:
            PartMissing: one does not answer, or does not know the customer yet.
            PartRefused: one does not show it to this principal.
        """
        if not self.services:
            return {}
        headers = {"authorization": f"Bearer {self._issuer.issue(principal, now)[0]}"}
        if principal.acting_as is not None:
            headers[ACTING_AS] = str(principal.acting_as)
        return {service: await self._part(service, customer_id, headers) for service in self.services}

    async def _part(self, service: str, customer_id: UUID, headers: dict[str, str]) -> dict[str, File]:
        if self._client is None:
            self._client = httpx.AsyncClient(base_url=self._address or "", timeout=_DEADLINE, trust_env=False, transport=self._transport)
        try:
            answer = await self._client.get(f"/v1/bundle-parts/{service}/{customer_id}", headers=headers)
        except httpx.HTTPError as failure:
            raise PartMissing(f"{service} does not answer", service=service, retry_after=_AGAIN_AFTER) from failure
        if answer.status_code in _FINAL:
            problem = msgspec.json.decode(answer.content, type=_Problem)
            raise PartRefused(f"{service}: {problem.detail}", service=service, reason=problem.code)
        return _files(service, answer)


def _files(service: str, answer: httpx.Response) -> dict[str, File]:
    try:
        if answer.is_success:
            said = msgspec.json.decode(answer.content, type=PartView)
            return {name: File(one.text.encode(), one.rows) for name, one in said.files.items()}
    except msgspec.MsgspecError as unreadable:
        raise PartMissing(f"{service} says what is no part", service=service, retry_after=_AGAIN_AFTER) from unreadable
    raise PartMissing(f"{service} answers {answer.status_code}", service=service, retry_after=_AGAIN_AFTER)
