"""Mutability: which fields of a customer, and of a partner itself, who may change (C-6, CUS-39, CUS-40, CUS-73).

The table is a policy document. Each of its lines opens fields to one kind of actor, where it says
so only for some kinds of accounts or of management; what no line opens is shut. Fields are JSON
pointers into the body that changes them, and one that is opened opens all below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol

from chassis.database import Read, Transaction
from chassis.http.bodies import Body
from chassis.policies import InForce, Policy
from chassis.principal import Principal
from contracts.customers.customers import AccountType, ManagementType
from contracts.customers.users import UserKind
from customers.errors import NotEditable
from customers.rules import policies
from customers.rules.objections import Objections

type Noun = Literal["customer", "partner"]
type Actor = Literal["partner", "ancestor", "customer", "operator"]
"""An ancestor is a user of a partner above the one that is changed (CUS-69)."""

_ACTORS: Final[dict[UserKind, Actor]] = {"partner": "partner", "service": "partner", "customer": "customer", "operator": "operator"}


class Described(Protocol):
    """What a line may make a difference by, of a customer."""

    @property
    def account_type(self) -> str: ...
    @property
    def management_type(self) -> str: ...


class Opened(Body):
    """One line of the table; ``account_types`` and ``management_types`` left out mean all."""

    noun: Noun
    actor: Actor
    fields: list[str]
    account_types: list[AccountType] | None = None
    management_types: list[ManagementType] | None = None

    def about(self, noun: Noun, actor: Actor, customer: Described | None) -> bool:
        """Whether the line speaks of this actor and, where it is one, this customer."""
        if (self.noun, self.actor) != (noun, actor):
            return False
        kinds = self.account_types is None or (customer is not None and customer.account_type in self.account_types)
        return kinds and (self.management_types is None or (customer is not None and customer.management_type in self.management_types))


class FieldMutability(Policy):
    """Which fields who may change: what no line of ``editable`` opens is shut."""

    kind: ClassVar[str] = "field_mutability"

    editable: list[Opened]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutability:
    """What one actor may change of one customer or partner, and the policy that says so."""

    opened: frozenset[str]
    by: InForce[FieldMutability]

    def opens(self, field: str) -> bool:
        return any(field == one or field.startswith(f"{one}/") for one in self.opened)

    def check(self, changed: Iterable[str], objections: Objections) -> None:
        """Object to every field that is changed and shut."""
        for field in changed:
            if not self.opens(field):
                objections.against(NotEditable, field, by=self.by)


def decided(by: InForce[FieldMutability], noun: Noun, actor: Actor, customer: Described | None = None) -> Mutability:
    """What a document opens to an actor."""
    lines = (line for line in by.policy.editable if line.about(noun, actor, customer))
    return Mutability(opened=frozenset(field for line in lines for field in line.fields), by=by)


async def of(tx: Transaction, noun: Noun, customer: Described | None = None) -> Mutability:
    """What whoever asks for a change may change; a worker acts for the operator."""
    return decided(await policies.in_force(tx, FieldMutability), noun, _actor(noun, tx.principal), customer)


async def shown(read: Read, noun: Noun, customer: Described | None = None) -> Mutability:
    """The same, for who only looks."""
    return decided(await policies.read(read, FieldMutability), noun, _actor(noun, read.principal), customer)


def _actor(noun: Noun, principal: Principal | None) -> Actor:
    if principal is None:
        return "operator"
    above = noun == "partner" and principal.kind == "partner" and principal.tenant != principal.partner_id
    return "ancestor" if above else _ACTORS[principal.kind]
