"""Capabilities: whether something may be done with a customer now (CUS-64, GW-10).

One predicate, ``against``, decides for the verbs and for whoever asks beforehand: by who asks,
its permissions and its level, then by the capability matrix (a policy document: account and
management types), then by the customer's status and what else must be so of it. ``rules.actions`` is what it decides about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from chassis.access.permissions import Permission
from chassis.access.rights import CustomerShutOut, NotAllowed, ReadOnly
from chassis.database import Transaction
from chassis.errors import Refusal
from chassis.http.admission import WrongPrincipal
from chassis.http.bodies import Body
from chassis.policies import InForce, Policy
from chassis.principal import PARTNERS
from contracts.customers.customers import AccountType, ManagementType
from contracts.customers.roles import Level
from contracts.customers.users import UserKind
from customers.errors import NotOffered, ProgrammeRequired, StatusForbids
from customers.errors.offboarding import CustomerMoving
from customers.rules import policies


class Standing(Protocol):
    """What of a customer decides."""

    @property
    def status(self) -> str: ...
    @property
    def account_type(self) -> str: ...
    @property
    def management_type(self) -> str: ...
    @property
    def first_admin(self) -> Mapping[str, Any]: ...
    @property
    def moving_to(self) -> UUID | None: ...
    @property
    def shut_out_at(self) -> datetime | None: ...
    @property
    def rejected_for(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What else must be so of a customer, and how it is refused where it is not; those of ``waived`` need it not."""

    holds: Callable[[Standing], bool]
    otherwise: type[Refusal]
    rule: str
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done with a customer.

    ``permission`` and ``level`` are asked of partners, ``capability`` of their programme;
    ``otherwise`` is how a status that is none of ``statuses`` is refused. ``within`` is an action without which this one
    is in vain: where the customer closes that, it closes this. ``advice`` is what is best done before. Only what is ``still`` changes
    nothing, and is open while a customer is being moved. What is done ``inside`` the customer is closed while it has closed itself to
    those above (MKT-05).
    """

    name: str
    rule: str
    kinds: frozenset[str]
    statuses: frozenset[str]
    permission: Permission | None = None
    level: Level = "read_write"
    capability: str | None = None
    otherwise: type[Refusal] = StatusForbids
    condition: Condition | None = None
    within: "Action | None" = None
    advice: str | None = None
    still: bool = False
    inside: bool = False


class Cell(Body):
    """For which accounts the matrix offers an action; what it leaves out it does not restrict."""

    account_types: list[AccountType] | None = None
    management_types: list[ManagementType] | None = None
    rule: str


class CapabilityMatrix(Policy):
    """Actions by what they are offered for; one that is not named is offered for all.

    Where account types and management types both decide, the latter refuse by CUS-51: the customer runs its product itself.
    """

    kind: ClassVar[str] = "capability_matrix"

    actions: dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. Permissions, level and what the programme grants are a partner's and its API keys'; ``capabilities`` None is all."""

    kind: UserKind
    permissions: frozenset[str] = frozenset()
    level: Level = "read_write"
    capabilities: frozenset[str] | None = None


def against(action: Action, asker: Asker, customer: Standing, matrix: InForce[CapabilityMatrix]) -> Refusal | None:
    """Why an action is refused, if it is."""
    return _the_askers(action, asker) or closed(action, asker.kind, customer, matrix)


def closed(action: Action, kind: UserKind, customer: Standing, matrix: InForce[CapabilityMatrix]) -> Refusal | None:
    """Why an action is refused to whoever the door lets in, if it is."""
    cell = matrix.policy.actions.get(action.name)
    refusal = None if cell is None else _the_matrixs(action, cell, customer, str(matrix.version))
    if refusal is None and customer.status not in action.statuses:
        refusal = action.otherwise(rule=action.rule, action=action.name, status=customer.status)
    if refusal is None and customer.moving_to is not None and not action.still:
        refusal = CustomerMoving(action=action.name)
    if refusal is None and customer.shut_out_at is not None and action.inside:
        refusal = CustomerShutOut(action=action.name)
    if refusal is None and action.condition is not None:
        refusal = _the_conditions(action.condition, action, kind, customer)
    if refusal is None and action.within is not None:
        refusal = closed(action.within, kind, customer, matrix)
    return refusal


async def require(tx: Transaction, action: Action, customer: Standing) -> None:
    """Go on only with an action that is open now; who asks has been let in by the door, with the same line. A worker acts for the operator.

    Raises:
        Refusal: says by which rule, and what to do.
    """
    kind: UserKind = tx.principal.kind if tx.principal else "operator"
    refusal = closed(action, kind, customer, await policies.in_force(tx, CapabilityMatrix))
    if refusal is not None:
        raise refusal


def _the_askers(action: Action, asker: Asker) -> Refusal | None:
    if asker.kind not in action.kinds:
        return WrongPrincipal(kinds=[*sorted(action.kinds)])
    if asker.kind not in PARTNERS:
        return None
    if action.permission is not None and action.permission not in asker.permissions:
        return NotAllowed(permission=str(action.permission))
    if action.level == "read_write" and asker.level != "read_write":
        return ReadOnly()
    if action.capability is not None and asker.capabilities is not None and action.capability not in asker.capabilities:
        return ProgrammeRequired(rule=action.rule)
    return None


def _the_conditions(condition: Condition, action: Action, kind: UserKind, customer: Standing) -> Refusal | None:
    if kind in condition.waived or condition.holds(customer):
        return None
    return condition.otherwise(rule=condition.rule, action=action.name)


def _the_matrixs(action: Action, cell: Cell, customer: Standing, version: str) -> Refusal | None:
    by_type = cell.rule if cell.account_types is None else "CUS-51"
    for asked, offered, which, rule in (
        ("account_type", cell.account_types, customer.account_type, cell.rule),
        ("management_type", cell.management_types, customer.management_type, by_type),
    ):
        if offered is not None and which not in offered:
            detail = f"Offered only where {asked} is {' or '.join(offered)}."
            return NotOffered(detail, rule=rule, policy_version=version, action=action.name)
    return None
