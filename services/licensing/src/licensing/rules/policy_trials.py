"""How each kind of policy of licensing is tried: a case of it, and the rule that decides it, which is the one that refuses (BEY-04)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le
from pydantic import JsonValue

from chassis.errors import Refusal
from chassis.http.bodies import Body
from chassis.jobs import reach
from chassis.jobs.reach import BulkPolicy
from chassis.policies import InForce
from chassis.policies.trying import Trial
from contracts.customers.customers import AccountType, ManagementType
from contracts.licensing.offers import Price
from licensing.billing import Reason
from licensing.errors import CapabilityMissing, SerialRequired
from licensing.rules import offered, quotes
from licensing.rules.capabilities import Action, Capabilities, CapabilityMatrix, Standing
from licensing.rules.offered import AccountMatrix
from licensing.rules.quotes import Basis, RatingPolicy

type Count = Annotated[int, Ge(0)]
_NO_LINE: Final = UUID(int=0)


class Done(Body):
    """`serial_number` says whether a product's serial number is named (LIC-10)."""

    action: Action
    standing: Standing = "none"
    serial_number: bool = False


class Set(Body):
    action: offered.ActionName
    account_type: AccountType = "licensing_portal"
    management_type: ManagementType = "co_managed"


class Reach(Body):
    customers: Count
    of_customers: Count


class Bought(Body):
    """A first paid term that begins on this day, by this price."""

    price: Price
    quantity: Annotated[int, Ge(1), Le(100_000)]
    on: date
    zone: Literal["UTC"] = "UTC"


def _done(by: InForce[CapabilityMatrix], case: Done) -> Refusal | None:
    decision = Capabilities(standing=case.standing, matrix=by.policy, version=by.version).decide(case.action)
    if not decision.allowed:
        return CapabilityMissing(rule=decision.rule, policy_version=decision.policy_version, action=case.action)
    unproven = decision.cell == "product_serial" and not case.serial_number
    return SerialRequired(policy_version=decision.policy_version) if unproven else None


def _rated(policy: RatingPolicy, case: Bought) -> Mapping[str, JsonValue]:
    basis = Basis(price=case.price, offer_version=1, rating=policy, rating_version=1)
    quote = quotes.first_term(basis, case.quantity, case.on, ZoneInfo(case.zone), line_id=_NO_LINE, reason=Reason.FIRST_PERIOD)
    return {name: value for name, value in quote.shown().items() if name != "lines"}


TRIALS: Final[Mapping[str, Trial]] = {
    AccountMatrix.kind: Trial(case=Set, rule="CUS-64", decide=lambda by, case: offered.against(case.action, case, by)),
    BulkPolicy.kind: Trial(case=Reach, rule="BEY-13", decide=lambda by, case: reach.against(by, case.customers, case.of_customers)),
    CapabilityMatrix.kind: Trial(case=Done, rule="LIC-06", decide=_done),
    RatingPolicy.kind: Trial(case=Bought, rule="BEY-06", decide=lambda _by, _case: None, outcome=_rated),
}
