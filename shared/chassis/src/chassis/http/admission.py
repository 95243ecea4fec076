"""Admission: what lets one request in, by what is known here or by what customers says.

What is known here is read in the request's own transaction. Whoever has to wait, for customers'
answer or for what has not arrived yet, waits outside of any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import Request

from chassis.access.confirming import Confirming
from chassis.access.permissions import Permission
from chassis.access.rights import AccessEnded, AccessUnconfirmed, Rights, UserUnknown, require_level, rights_of
from chassis.database.clocks import PartnerClock
from chassis.errors import Kind, Refusal
from chassis.http import consistency, correlation
from chassis.http.consistency import Mark
from chassis.http.patience import Patience
from chassis.principal import PARTNERS, Principal

ACTING_AS: Final = "partnerdeck-acting-as"
LOOK_AGAIN: Final = 2.0
"""Seconds after which long work looks again whether it may go on."""


class WrongPrincipal(Refusal):
    """Your kind of user may not do that."""

    kind = Kind.FORBIDDEN
    code = "wrong_principal"
    remedy = "Sign in as one of the kinds that `kinds` names."


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Who may call an operation. Other than partners and their API keys need no permission, their kind is enough.

    ``enrolling`` lets in who must have a second factor and has none; ``waking`` who acts as a partner that is disabled.
    """

    permission: Permission | None
    kinds: frozenset[str]
    enrolling: bool = False
    waking: bool = False

    def check(self, rights: Rights) -> None:
        if rights.principal.kind not in self.kinds:
            raise WrongPrincipal(kinds=[*sorted(self.kinds)])
        if self.permission is not None and rights.principal.kind in PARTNERS:
            rights.require(self.permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for: a customer to ``write`` to or to read, and rights that are confirmed (``strict``) or may be a minute old."""

    needs: Needs
    customer: UUID | None
    write: bool
    strict: bool
    marks: Iterable[tuple[str, Mark]]
    """Rows that must have arrived: a table and a version in it each."""


class Admission:
    """One request's. ``headers`` say who it is; without ``access`` this service is where rights are kept."""

    def __init__(self, access: Confirming | None, caller: Principal, headers: Mapping[str, str], wanted: Wanted) -> None:
        self._access = access
        self._caller = caller
        self._headers = headers
        self._wanted = wanted
        self._patience = Patience(caller.partner_id)
        self._told: Rights | None = None
        self._unknown = False
        self._lenient = False
        self.behind = False
        """Whether what must have arrived has not, and it was let in all the same."""

    @property
    def clock(self) -> PartnerClock | None:
        """What customers said of the tenant's clock, where it was asked and the tenant is a sandbox."""
        return self._told.clock if self._told else None

    async def confirm(self) -> None:
        """Before the first transaction: let customers say who it is, where what is known here may be too old.

        Raises:
            Refusal: nobody can say, or customers refused.
        """
        if self._access is not None:
            self._told = await self._access.unless_fresh(self._caller, self._headers, strict=self._wanted.strict)

    async def enter(self, driver: Any) -> Rights | None:
        """The caller's rights, in a transaction; None when it is worth leaving it, to ``wait`` and try again (BEY-09).

        Raises:
            Refusal: the rights do not suffice.
        """
        rights = self._told or await self._known(driver)
        if rights is None:
            return None
        self._wanted.needs.check(rights)
        if self._wanted.customer is not None:
            await require_level(driver.fetchrow, rights, self._wanted.customer, write=self._wanted.write)
        everybodys = self._caller.kind == "operator" and self._caller.acting_as is None
        tenant = None if everybodys else self._caller.tenant
        self.behind = not await consistency.reached(driver.fetch, self._wanted.marks, tenant)
        return rights if self._patience.over or not self.behind else None

    async def wait(self) -> None:
        """Wait a little; for a user who was just found not to be known here yet, ask customers instead.

        Raises:
            Refusal: nobody can say who it is, or customers refused.
        """
        if self._access is None or not self._unknown:
            await self._patience.pause()
            return
        self._unknown = False
        try:
            self._told = await self._access.asking.rights(self._caller, self._headers)
        except AccessUnconfirmed:
            if self._wanted.strict or self._lenient or not self._access.freshness.readable:
                raise
            self._lenient = True

    async def _known(self, driver: Any) -> Rights | None:
        """As they are known here; where rights are kept, whoever is not known is not there any more (it was purged, say)."""
        try:
            needs = self._wanted.needs
            return await rights_of(driver.fetchrow, self._caller, lenient=self._lenient, enrolling=needs.enrolling, waking=needs.waking)
        except AccessUnconfirmed as unknown:
            if self._access is None and self._patience.over:
                if isinstance(unknown, UserUnknown):
                    raise AccessEnded from unknown
                raise
            self._unknown = True
            return None


def headers_of(caller: Principal, request: Request) -> dict[str, str]:
    """The headers with which another service is asked in the caller's name."""
    said = {"authorization": request.headers.get("authorization", "")}
    if caller.acting_as is not None:
        said[ACTING_AS] = str(caller.acting_as)
    if (here := correlation.current()) is not None:
        said[correlation.REQUEST_ID] = here.request_id
        said |= {"traceparent": here.traceparent} if here.traceparent else {}
    return said
