"""Capabilities: what a partner may do by its programme, decided by a policy document (LIC-06, C-7, C-10).

The matrix is data: actions by programme, each cell *yes*, *no*, or *product_serial* (only with
a product's serial number, LIC-10). The shipped document is the text's reading: converting
needs the programme. Publishing another version switches to the table's reading.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

from pydantic import field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.bodies import Body
from chassis.policies import Policy
from licensing.errors import CapabilityMissing
from licensing.rules import policies
from licensing.tables.programmes import Programme

type Action = Literal["set_up_trial", "set_up_paid", "monitor", "convert_trial", "manage"]
type Cell = Literal["yes", "no", "product_serial"]
type Standing = Literal["none", "service_provider"]


_ACTIONS: Final = len(get_args(Action.__value__))


class ActionRow(Body):
    """One action of the matrix; ``rule`` is the requirement that a refusal names."""

    none: Cell
    service_provider: Cell
    rule: str


class CapabilityMatrix(Policy):
    """What each action opens.

    ``set_up_trial`` and ``set_up_paid`` decide about what is ordered at a customer's creation (``orders.accept``),
    ``convert_trial`` about conversion, its preview and a trial that converts at its end (``converting.evidence``),
    ``monitor`` about a partner's reads of subscriptions and entitlements (``standings.to_monitor``). ``manage`` is
    shown and told; converting is the only verb on a running subscription, and it has an action of its own.
    """

    kind: ClassVar[str] = "capabilities"

    actions: dict[Action, ActionRow]

    @field_validator("actions")
    @classmethod
    def _is_whole(cls, actions: dict[Action, ActionRow]) -> dict[Action, ActionRow]:
        if len(actions) < _ACTIONS:
            raise PydanticCustomError(
                "too_few", "The matrix decides every action: set_up_trial, set_up_paid, monitor, convert_trial, manage"
            )
        return actions

    def granted(self, standing: Standing) -> list[str]:
        """The actions that a programme grants at all."""
        return sorted(action for action, row in self.actions.items() if getattr(row, standing) != "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answered question, with what decided it."""

    action: Action
    cell: Cell
    rule: str
    policy_version: str

    @property
    def allowed(self) -> bool:
        return self.cell != "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one partner may do now."""

    standing: Standing
    matrix: CapabilityMatrix
    version: int

    def decide(self, action: Action) -> Decision:
        """An action that the document does not name is refused."""
        row = self.matrix.actions.get(action)
        if row is None:
            return Decision(action=action, cell="no", rule="LIC-06", policy_version=str(self.version))
        return Decision(action=action, cell=getattr(row, self.standing), rule=row.rule, policy_version=str(self.version))

    def require(self, action: Action) -> Decision:
        """The decision, where it is not a no.

        Raises:
            CapabilityMissing: the matrix says no.
        """
        decision = self.decide(action)
        if not decision.allowed:
            raise CapabilityMissing(rule=decision.rule, policy_version=decision.policy_version, action=action)
        return decision


async def of(tx: Transaction) -> Capabilities:
    """What the transaction's partner may do."""
    matrix = await policies.in_force(tx, CapabilityMatrix)
    standing: Standing = "service_provider" if await active_programme(tx) else "none"
    return Capabilities(standing=standing, matrix=matrix.policy, version=matrix.version)


async def active_programme(tx: Transaction) -> Programme | None:
    wanted = select(Programme).where(
        Programme.partner_id == tx.partner_id, Programme.kind == "service_provider", Programme.status == "active"
    )
    return (await tx.session.execute(wanted)).scalar_one_or_none()
