"""Calls: one request of one principal, from its token to the bytes of its answer.

A route opens its transaction visibly, through its call. Rights are read in that transaction
(``admission``). A change commits before its answer is sent, and the answer's bytes are stored
under the idempotency key in the transaction of the change; a refusal is stored in a second,
short one.
"""

import dataclasses
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from fastapi import Depends, Request
from starlette.responses import Response

from chassis import logs
from chassis.access.confirming import Confirming
from chassis.access.permissions import Permission
from chassis.access.rights import NotAllowed, Rights, Shown, ShownOtherwise, shown_by
from chassis.clock import Clock
from chassis.database import ApiDatabase, Read, Transaction
from chassis.database.api import role_of
from chassis.database.audit import Subject
from chassis.database.reading import VIEWS
from chassis.errors import Kind, Refusal
from chassis.http import consistency, correlation, etags, idempotency, problems
from chassis.http.admission import ACTING_AS, LOOK_AGAIN, Admission, Needs, Wanted, headers_of
from chassis.http.answers import JSON, Answer
from chassis.http.correlation import template
from chassis.http.etags import Seen
from chassis.http.idempotency import Claim, Replayed
from chassis.http.views import View
from chassis.http.witnesses import denials, look
from chassis.principal import PARTNERS, Principal
from chassis.tokens import Verifier, bearer

type Said = View | bytes


class BadActingAs(Refusal):
    """Partnerdeck-Acting-As is no partner's id."""

    kind = Kind.MALFORMED
    code = "bad_acting_as"
    remedy = "Send the id of a partner below your own, or leave the header out."


class ActingAsNeeded(Refusal):
    """An operator changes a customer as the partner that runs it."""

    kind = Kind.MALFORMED
    code = "acting_as_needed"
    remedy = "Send Partnerdeck-Acting-As with the id of the customer's partner, which GET /v1/customers/{id} says."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rails:
    """What a service's routes stand on; found as ``app.state.service``. ``tools`` are the service's own.

    ``access`` confirms who may do what; None where rights are kept, which is customers.
    """

    database: ApiDatabase
    verifier: Verifier
    clock: Clock
    tools: Any = None
    access: Confirming | None = None
    follows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Which relations of the service follow a kind of entity, for consistency tokens; the access tables always do."""

    def relations(self, kind: str, caller: Principal) -> tuple[str, ...]:
        """Where the caller reads rows of a kind: in views of the service's own tables, which portals may lack, and in the access tables."""
        role = role_of(caller)
        own = () if role == "portal" else tuple(f"{table}{VIEWS[role]}" for table in self.follows.get(kind, ()))
        return (*own, *consistency.followed(kind, caller))


class Call:
    """One signed-in request. Open ``change`` or ``read``, and make the answer inside."""

    def __init__(self, request: Request, rails: Rails, principal: Principal, needs: Needs) -> None:
        self.principal: Final = principal
        self.tools: Final[Any] = rails.tools
        self._request = request
        self._rails = rails
        self._needs = needs
        self._answer: Answer | None = None
        self._tx: Transaction | None = None
        self._behind = False
        self._let_in_at = 0.0

    @property
    def seen(self) -> Seen:
        """The versions the caller has seen, from ``If-Match``; required where a resource exists already.

        Ask inside ``change``: whoever may not change it at all is told that first, and leaves a trace.
        """
        return etags.seen(self._request.headers.get("if-match"))

    @asynccontextmanager
    async def change(
        self,
        *,
        customer: UUID | None = None,
        tenant: UUID | None = None,
        founding: UUID | None = None,
        keyed: bool = True,
        stand_in: bool = False,
    ) -> AsyncIterator[Transaction]:
        """Change rows. Leaving it commits; make the answer inside with ``created`` or ``answer``.

        ``customer`` asks for Read/Write on that customer. ``tenant`` is for operators, who change
        rows as the partner concerned; ``founding`` is the id of a partner that they are about to make.
        ``stand_in`` lets a customer's user change what follows for its ``customer`` and the portal only reads; which
        rows those are is for the feature to see to.
        ``keyed`` is False where asking twice is no change twice (a preview): no idempotency key is kept.

        Raises:
            ActingAsNeeded: an operator changes a customer and says as whom neither here nor in the header.
            Refusal: the rights do not suffice, or what the body of the block raises.
            Replayed: the same key was answered before.
        """
        named = tenant or self.principal.acting_as
        if customer and self.principal.kind == "operator" and named is None and "operator" in self._needs.kinds:
            raise ActingAsNeeded
        role = "partner" if stand_in and customer and self.principal.kind == "customer" else None
        change = self._change(customer, tenant, founding, keyed=keyed, role=role)
        async with denials(self._rails.database, self.principal, customer), change as tx:
            yield tx

    @asynccontextmanager
    async def _change(
        self, customer: UUID | None, tenant: UUID | None, founding: UUID | None, *, keyed: bool, role: str | None
    ) -> AsyncIterator[Transaction]:
        caller = dataclasses.replace(self.principal, acting_as=tenant) if tenant else self.principal
        principal = dataclasses.replace(self.principal, acting_as=founding) if founding else caller
        claim, claimed = await self._claim() if keyed else None, False
        admission = self._admission(caller, customer, write=True, strict=True)
        await admission.confirm()
        try:
            while True:
                clock = None if founding else admission.clock
                change = self._rails.database.change(principal, correlation=correlation.current(), clock=clock, role=role)
                async with change as tx:
                    if await self._enter(admission, await tx.driver()):
                        standing = await idempotency.claim(tx.session, claim) if claim else None
                        if standing is not None:
                            raise Replayed(standing)
                        claimed, self._tx = claim is not None, tx
                        yield tx
                        if claim and self._answer:
                            await tx.session.flush()
                            await idempotency.store(tx.session, claim, self._answer)
                        return
                await admission.wait()
        except Refusal as refusal:
            if claim and claimed and idempotency.keeps(refusal):
                await self._keep(refusal, claim)
            raise

    @asynccontextmanager
    async def read(self, *, customer: UUID | None = None, strict: bool = False) -> AsyncIterator[Read]:
        """Read rows. ``customer`` asks for at least Read on that customer; what is not seen does not exist.

        ``strict`` is for what may not go by rights that nobody has confirmed for a minute: exports, streams.
        """
        admission = self._admission(self.principal, customer, write=False, strict=strict)
        async with denials(self._rails.database, self.principal, customer):
            await admission.confirm()
            while True:
                async with self._rails.database.read(self.principal) as read:
                    read.rights = await self._enter(admission, read.connection)
                    if read.rights is not None:
                        await look(self._rails.database, self.principal, customer)
                        yield read
                        return
                await admission.wait()

    async def shown(self, read: Read) -> Shown:
        """What decides which customers a reading shows, for ``still_allowed``."""
        return await shown_by(read.connection.fetchrow, cast("Rights", read.rights))

    async def still_allowed(self, *, customer: UUID | None = None, shown: Shown | None = None) -> None:
        """Between the pieces of a stream or an export: whether the caller may go on, looked at again when two seconds have passed.

        ``shown`` is given where the pieces are of one reading: it was done by these levels, and they must be the same now.

        Raises:
            ShownOtherwise: they are others.
            Refusal: it may not, or nobody confirms it.
        """
        if time.monotonic() - self._let_in_at < LOOK_AGAIN:
            return
        admission = self._admission(self.principal, customer, write=False, strict=True)
        await admission.confirm()
        while True:  # not on a reader's connection: whoever exports holds one of those, and all of them might wait for another
            async with self._rails.database.change(self.principal) as tx:
                driver = await tx.driver()
                rights = await self._enter(admission, driver)
                if rights is not None and shown is not None and await shown_by(driver.fetchrow, rights) != shown:
                    raise ShownOtherwise
                if rights is not None:
                    return
            await admission.wait()

    async def note(self, subject: Subject) -> None:
        """Put into the audit what a read gives away as a whole, before it does: an export."""
        await self._rails.database.note(self.principal, subject, correlation=correlation.current())

    def answer(self, view: Said, *, status: int = 200, version: int | None = None, location: str | None = None) -> Response:
        """The answer as bytes. ``version`` becomes its ETag; a write says what it wrote, for whoever must read it back."""
        headers = [("content-type", JSON)]
        wrote = consistency.token(self._tx.told) if self._tx else None
        if wrote or self._behind:
            headers.append((consistency.HEADER, wrote or consistency.BEHIND))
        if version is not None:
            headers.append(("etag", etags.etag(version)))
        if location is not None:
            headers.append(("location", location))
        self._answer = Answer(status=status, body=view if isinstance(view, bytes) else msgspec.json.encode(view), headers=tuple(headers))
        return self._answer.response()

    def created(self, view: Said, *, location: str, version: int | None = None) -> Response:
        """201, with where it is now."""
        return self.answer(view, status=201, version=version, location=location)

    def _admission(self, caller: Principal, customer: UUID | None, *, write: bool, strict: bool) -> Admission:
        marks = consistency.read(self._request.headers.get(consistency.HEADER))
        tables = [(table, mark) for mark in marks for table in self._rails.relations(mark.kind, caller)]
        wanted = Wanted(needs=self._needs, customer=customer, write=write, strict=strict, marks=tables)
        return Admission(self._rails.access, caller, headers_of(caller, self._request), wanted)

    async def _enter(self, admission: Admission, driver: Any) -> Rights | None:
        rights = await admission.enter(driver)
        self._behind = admission.behind
        self._let_in_at = time.monotonic()
        return rights

    async def _claim(self) -> Claim | None:
        request = self._request
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        body = await request.body()
        params = {**request.path_params, "query": request.url.query, "acting as": self.principal.tenant}
        return Claim(
            partner_id=self.principal.partner_id,
            user_id=self.principal.user_id,
            key=idempotency.check_key(key),
            fingerprint=idempotency.fingerprint(self._rails.database.secret, request.method, template(request.scope), params, body),
        )

    async def _keep(self, refusal: Refusal, claim: Claim) -> None:
        """Store a refusal; where a twin of the request was answered meanwhile, its answer stands."""
        mine = problems.of(refusal).answer(self._request.scope)
        async with self._rails.database.change(self.principal, correlation=correlation.current()) as tx:
            standing = await idempotency.store_refusal(tx.session, claim, mine)
        if standing != mine:
            raise Replayed(standing)


def allow(
    permission: Permission | None = None,
    *,
    kinds: frozenset[str] = PARTNERS,
    enrolling: bool = False,
    waking: bool = False,
    own: bool = False,
) -> Any:
    """Who may call an operation, as a parameter's dependency.

    ``call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]``: partners with that permission. ``enrolling`` is for
    operations that give a user its second factor: whoever must have one and has none may call these alone.
    ``waking`` is for the one that enables a partner again. ``own`` is for what is the caller's own, whomever it acts as.
    """
    needs = Needs(permission=permission, kinds=kinds, enrolling=enrolling, waking=waking)

    async def call(request: Request) -> Call:
        rails: Rails = request.app.state.service
        principal = await _principal(request, rails)
        return Call(request, rails, dataclasses.replace(principal, acting_as=None) if own else principal, needs)

    return Depends(call)


def rails_of(request: Request) -> Rails:
    """For operations that nobody is signed in to yet."""
    rails: Rails = request.app.state.service
    return rails


async def _principal(request: Request, rails: Rails) -> Principal:
    principal = await rails.verifier.verify(bearer(request.headers.get("authorization")), rails.clock.now())
    logs.bind(partner_id=principal.partner_id, user_id=principal.user_id)
    wanted = request.headers.get(ACTING_AS)
    if wanted is None:
        return principal
    if principal.kind not in {"partner", "operator"}:
        async with denials(rails.database, principal, None):
            raise NotAllowed
    try:
        return dataclasses.replace(principal, acting_as=UUID(wanted))
    except ValueError as bad:
        raise BadActingAs from bad
