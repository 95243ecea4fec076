"""A partner's desk: the whole service over HTTP, one partner that is signed in, everything committed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
from joserfc.jwk import OKPKey
from sqlalchemy import Table, insert

from chassis.access import Permission, tables
from chassis.bundles.portable import routers as parts
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.health import Health
from chassis.http.app import build
from chassis.http.calls import Rails
from chassis.ids import new_id
from chassis.jobs import routes as jobs
from chassis.keys import KeySet
from chassis.policies import routes as policies
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.audit import auditing
from chassis_testing.clock import FixedClock
from contracts.customers.users import UserKind
from contracts.root import ROOT_PARTNER_ID
from licensing.bulk.deeds import KINDS as JOBS
from licensing.bundles import PORTABLE
from licensing.routes import ROUTERS
from licensing.rules.policy_kinds import KINDS
from licensing.rules.policy_trials import TRIALS

_KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who sits at it is ``principal``; ``client`` is shared by all desks of a test."""

    client: httpx.AsyncClient
    worker: WorkerDatabase
    api: ApiDatabase
    clock: FixedClock
    principal: Principal

    async def set_up[T](self, build_it: Callable[[Transaction], Awaitable[T]]) -> T:
        """Something that is there before the test begins, in the partner's name."""
        async with self.worker.work() as work, work.item(self.principal.partner_id) as tx:
            return await build_it(tx)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self._headers({}))

    async def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self._headers(headers))

    async def newcomer(
        self,
        *,
        permissions: Iterable[Permission] = tuple(Permission),
        level: str = "read_write",
        partner_id: UUID | None = None,
        kind: UserKind = "partner",
    ) -> "Desk":
        """Another user, or an API key, of a partner of its own unless said otherwise."""
        principal = Principal(kind=kind, user_id=new_id(), partner_id=partner_id or new_id(), gen=1)
        if partner_id is None:
            await self._put_partner(principal.partner_id, ancestors=[ROOT_PARTNER_ID])
        role_id = new_id()
        grants: dict[str, Any] = {"permissions": sorted(permissions), "all_customers": level, "default_level": level}
        await self._put(tables.roles, principal.partner_id, id=role_id, customers={}, tags={}, **grants)
        return await self._signed_in(principal, role_ids=[role_id])

    async def operator(self) -> "Desk":
        """A user of the root party."""
        await self._put_partner(ROOT_PARTNER_ID, ancestors=[])
        return await self._signed_in(Principal(kind="operator", user_id=new_id(), partner_id=ROOT_PARTNER_ID, gen=1))

    async def portal(self, customer_id: UUID) -> "Desk":
        """A user of one of the partner's customers."""
        mine = self.principal.partner_id
        return await self._signed_in(Principal(kind="customer", user_id=new_id(), partner_id=mine, gen=1, customer_id=customer_id))

    async def knows(self, customer_id: UUID) -> UUID:
        """Let the partner's users see a customer."""
        known = {"status": "active", "management_type": "co_managed", "tags": []}
        await self._put(tables.customers, self.principal.partner_id, id=customer_id, **known)
        return customer_id

    async def _signed_in(self, principal: Principal, role_ids: Iterable[UUID] = ()) -> "Desk":
        known: dict[str, Any] = {"kind": principal.kind, "status": "active", "gen": 1, "customer_id": principal.customer_id}
        await self._put(tables.users, principal.partner_id, id=principal.user_id, role_ids=list(role_ids), **known)
        return replace(self, principal=principal)

    async def _put_partner(self, partner_id: UUID, *, ancestors: list[UUID]) -> None:
        await self._put(tables.partners, partner_id, id=partner_id, ancestors=ancestors, status="active", shut_out=False)

    async def _put(self, table: Table, partner_id: UUID, **row: Any) -> None:
        async with self.worker.work() as work:
            await work.session.execute(insert(table).values(partner_id=partner_id, version=1, **row))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        token, _ = Issuer(_KEY).issue(self.principal, self.clock.now())
        return {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}


@asynccontextmanager
async def a_desk(api: ApiDatabase, worker: WorkerDatabase, clock: FixedClock) -> AsyncIterator[Desk]:
    """The desk of a partner administrator."""
    rails = Rails(database=api, verifier=Verifier(KeySet([_KEY])), clock=clock)
    routers = (*ROUTERS, *jobs.routers("licensing", JOBS), *policies.routers("licensing", KINDS, TRIALS), *parts(PORTABLE))
    app = build(title="licensing", routers=routers, health=Health(), state=rails)
    nobody = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    async with auditing(worker.settings) as look:
        hooks = {"response": [look]}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://licensing", event_hooks=hooks) as client:
            empty = Desk(client=client, worker=worker, api=api, clock=clock, principal=nobody)
            yield await empty.newcomer()
