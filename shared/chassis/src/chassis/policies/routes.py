"""Policies over HTTP: everybody who works with them reads them, operators publish. One router per service that has some."""

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le
from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing
from chassis.policies.kinds import Kinds
from chassis.policies.shown import PolicyView, Shelf
from chassis.policies.trying import Trial, TrialView, Tried, tried

READERS = frozenset({"partner", "operator"})
OPERATORS = frozenset({"operator"})


class VersionQuery(Asked):
    """``version`` left out is the one in force."""

    version: Annotated[int, Ge(1), Le(2**63 - 1)] | None = None


def routers(service: str, kinds: Kinds | None, trials: Mapping[str, Trial] | None = None) -> list[APIRouter]:
    """The routes of a service's policies; none when it has none. With ``trials`` they can be tried."""
    if kinds is None:
        return []
    shelf = Shelf(service, kinds)
    made = APIRouter(prefix=f"/v1/policies/{service}", tags=["policies"])

    @made.get("", response_model=Listing[PolicyView])
    async def list_policies(_: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
        """What this service decides by, each kind as it is in force."""
        async with call.read() as read:
            return call.answer(await shelf.page(read))

    @made.get("/{kind}", response_model=PolicyView)
    async def get(kind: str, query: Annotated[VersionQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
        async with call.read() as read:
            policy = await shelf.one(read, kind, query.version)
            return call.answer(policy, version=policy.version)

    @made.post("/{kind}", status_code=201, response_model=PolicyView)
    async def publish(kind: str, document: dict[str, Any], call: Annotated[Call, allow(kinds=OPERATORS)]) -> Response:
        """Put the next version in force. It decides from then on; what was decided before keeps the version by which it was."""
        async with call.change() as tx:
            published = await kinds.publish(tx, kind, document, call.seen)
            view = shelf.published(published.policy, published.version, tx.real_now)
            return call.created(view, location=f"/v1/policies/{service}/{kind}?version={published.version}", version=published.version)

    if trials:
        _add_trying(made, service, kinds, trials)
    return [made]


def _add_trying(made: APIRouter, service: str, kinds: Kinds, trials: Mapping[str, Trial]) -> None:
    @made.post("/{kind}/try", response_model=TrialView)
    async def try_out(kind: str, body: Tried, call: Annotated[Call, allow(kinds=READERS)]) -> Response:
        """What would happen: a case decided by a document, and how many of the partner's present ones it would decide otherwise (BEY-04).

        Nothing is published, and nothing is kept.
        """
        async with call.change(keyed=False) as tx:
            return call.answer(await tried(tx, service, kinds, trials, kind=kind, body=body))
