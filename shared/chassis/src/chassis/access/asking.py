"""Asking customers what somebody may do: the way out when this service may not know it yet.

It asks with the caller's own token, one question for all who wait for the same answer, and an
answer is good for a second from when its question was put. What customers refuses is refused
here too; where it does not answer within a second, access is unconfirmed.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx
import msgspec
import structlog
from prometheus_client import Counter

from chassis.access.rights import AccessEnded, AccessUnconfirmed, ActingRefused, Rights, RoleGrant, SecondFactorRequired
from chassis.database.clocks import PartnerClock
from chassis.errors import Refusal
from chassis.metrics import REGISTRY
from chassis.principal import Principal
from chassis.tokens import TokenExpired, TokenInvalid

log = structlog.get_logger()

PATH: Final = "/v1/me/rights"
_DEADLINE: Final = 1.0
_GOOD_FOR: Final = 1.0
_MOST_REMEMBERED: Final = 4096

ASKED: Final = Counter("access_asked", "Questions to customers about rights, by what came of them", ("outcome",), registry=REGISTRY)

_REFUSALS: Final[Mapping[str, type[Refusal]]] = {
    refusal.code: refusal for refusal in (AccessEnded, ActingRefused, SecondFactorRequired, TokenExpired, TokenInvalid)
}


class _Clock(msgspec.Struct):
    ahead_seconds: float
    standing_at: datetime | None

    def read(self) -> PartnerClock:
        return PartnerClock(ahead=timedelta(seconds=self.ahead_seconds), standing_at=self.standing_at)


class _Answer(msgspec.Struct):
    grants: tuple[RoleGrant, ...]
    clock: _Clock | None = None


class _Problem(msgspec.Struct):
    code: str = ""


type _Outcome = Rights | type[Refusal]


@dataclass(frozen=True, slots=True)
class _Question:
    put_at: float
    outcome: asyncio.Task[_Outcome]


class Asking:
    """Asks one customers service, each question for ``deadline`` seconds; an answer is ``good_for`` seconds. Close it at the end."""

    def __init__(self, customers_url: str, *, deadline: float = _DEADLINE, good_for: float = _GOOD_FOR) -> None:
        self._client = httpx.AsyncClient(base_url=customers_url, timeout=deadline, trust_env=False)
        self._deadline = deadline
        self._good_for = good_for
        self._questions: dict[Principal, _Question] = {}

    async def close(self) -> None:
        await self._client.aclose()

    async def rights(self, principal: Principal, headers: Mapping[str, str]) -> Rights:
        """What the principal may do, from customers' own tables; ``headers`` are those of its request that say who it is.

        Raises:
            AccessUnconfirmed: customers did not say.
            Refusal: customers refused: the sign-in has ended, or it may not act as this partner.
        """
        question = self._questions.get(principal)
        if question is None or time.monotonic() - question.put_at > self._good_for:
            question = _Question(time.monotonic(), asyncio.create_task(self._ask(principal, headers)))
            self._remember(principal, question)
        outcome = await asyncio.shield(question.outcome)
        if isinstance(outcome, Rights):
            return outcome
        raise outcome(retry_after=1 if outcome is AccessUnconfirmed else None)

    async def _ask(self, principal: Principal, headers: Mapping[str, str]) -> _Outcome:
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._get(headers)
            outcome = _read(principal, answer)
        except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError) as failure:
            log.info("access_not_asked", reason=repr(failure))
            outcome = AccessUnconfirmed
        ASKED.labels("known" if isinstance(outcome, Rights) else outcome.code).inc()
        return outcome

    async def _get(self, headers: Mapping[str, str]) -> httpx.Response:
        """Asked a second time where the connection was lost: it may have been closed while nobody asked."""
        try:
            return await self._client.get(PATH, headers=headers)
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            return await self._client.get(PATH, headers=headers)

    def _remember(self, principal: Principal, question: _Question) -> None:
        if len(self._questions) >= _MOST_REMEMBERED:
            self._questions = {one: put for one, put in self._questions.items() if not put.outcome.done()}
        self._questions[principal] = question


def _read(principal: Principal, answer: httpx.Response) -> _Outcome:
    if answer.status_code == httpx.codes.OK:
        said = msgspec.json.decode(answer.content, type=_Answer)
        told = msgspec.json.encode(said.grants).decode()
        return Rights(principal=principal, grants=said.grants, told=told, clock=said.clock.read() if said.clock else None)
    code = msgspec.json.decode(answer.content, type=_Problem).code
    if code not in _REFUSALS:
        log.warning("access_not_answered", status=answer.status_code, code=code)
    return _REFUSALS.get(code, AccessUnconfirmed)
