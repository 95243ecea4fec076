"""How each kind of policy of customers is tried: a case of it, and the rule that decides it, which is the one that refuses (BEY-04).

A kind that is missing here cannot be tried, and fails the test that walks over them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from annotated_types import Ge
from pydantic import Field, JsonValue
from sqlalchemy import select

from chassis.database import Transaction
from chassis.errors import Refusal
from chassis.http.bodies import Body
from chassis.http.text import Text
from chassis.jobs import reach
from chassis.jobs.reach import BulkPolicy
from chassis.policies import InForce
from chassis.policies.trying import Present, Trial
from contracts.customers.customers import AccountType, CustomerStatus, ManagementType, ProductAsked
from customers.errors import EulaOutdated, NotAcceptable, NotEditable
from customers.errors.consents import ConsentRequired
from customers.errors.offboarding import ProductsInTheWay
from customers.errors.sign_ups import SignUpClosed, TermsOutdated
from customers.rules import actions, capabilities, consenting, identity, mutability, provisioning, residency, tree
from customers.rules.capabilities import CapabilityMatrix
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.console_policy import ConsolePolicy
from customers.rules.identity import IdentityPolicy
from customers.rules.licence_terms import LicenceTerms
from customers.rules.mutability import Actor, FieldMutability
from customers.rules.mutability import Noun as Changed
from customers.rules.new_roles import RolesPolicy
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.residency import ResidencyPolicy
from customers.rules.selecting import EVERYBODY, seen_by
from customers.rules.sign_on_policy import SignOnPolicy
from customers.rules.sign_up_policy import SignUpPolicy
from customers.rules.tree import PartnerTree
from customers.tables.customers import Customer

type Count = Annotated[int, Ge(0)]
_ACTIONS: Final = {one.name: one for one in actions.ALL}


class Reach(Body):
    customers: Count
    of_customers: Count


class Launch(Body):
    """A partner that wants into a console of which the customer has said nothing."""

    management_type: ManagementType


class Nothing(Body):
    """There is nothing to say."""


class Done(Body):
    """An action with a customer of this kind, by its name in `GET /v1/customers/{id}/actions`."""

    action: str
    status: CustomerStatus = "active"
    account_type: AccountType = "licensing_portal"
    management_type: ManagementType = "co_managed"


class Change(Body):
    noun: Changed = "customer"
    actor: Actor
    field: Annotated[str, Text(200)]
    account_type: AccountType = "licensing_portal"
    management_type: ManagementType = "co_managed"


class Address(Body):
    email: Annotated[str, Text(254)] | None
    domain: Annotated[str, Text(253)]
    temporary: bool = False


class Accepted(Body):
    version: Annotated[str, Text(50)]


class Deletion(Body):
    """A customer that has so many products."""

    products: Count


class Level(Body):
    """The level below the root party on which a partner would stand."""

    level: Annotated[int, Ge(1)]


class Ordered(Body):
    """`granted` is what the partner's programme grants."""

    product: ProductAsked
    granted: list[str] = Field(default_factory=list)


class Region(Body):
    region: Annotated[str, Text(50)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stands:
    """A customer as the matrix looks at it, which stays where it is and has closed itself to nobody."""

    status: str
    account_type: str
    management_type: str
    first_admin: Mapping[str, Any]
    moving_to: UUID | None = None
    shut_out_at: datetime | None = None
    rejected_for: str | None = None


def _done(by: InForce[CapabilityMatrix], case: Done) -> Refusal | None:
    action = _ACTIONS.get(case.action)
    if action is None:
        return NotAcceptable(f"There is no action {case.action}.", remedy=f"Choose one of {', '.join(sorted(_ACTIONS))}.")
    customer = _Stands(status=case.status, account_type=case.account_type, management_type=case.management_type, first_admin={})
    return capabilities.closed(action, "partner", customer, by)


def _changed(by: InForce[FieldMutability], case: Change) -> Refusal | None:
    opened = mutability.decided(by, case.noun, case.actor, case if case.noun == "customer" else None)
    return None if opened.opens(case.field) else NotEditable(policy_version=str(by.version), field=case.field)


def _launched(by: InForce[ConsentPolicy], case: Launch) -> Refusal | None:
    return None if consenting.leave_enough(by.policy, case.management_type) else ConsentRequired(policy_version=str(by.version))


def _addressed(by: InForce[IdentityPolicy], case: Address) -> Refusal | None:
    against = identity.objection(case.email, case.domain, by.policy, temporary=case.temporary)
    if against is None:
        return None
    return NotAcceptable(against.detail, rule=against.rule, remedy=against.remedy, policy_version=str(by.version))


def _accepted(by: InForce[LicenceTerms], case: Accepted) -> Refusal | None:
    return None if case.version == by.policy.version else EulaOutdated(policy_version=str(by.version), version=by.policy.version)


def _deleted(by: InForce[OffboardingPolicy], case: Deletion) -> Refusal | None:
    stays = case.products and "no_active_subscriptions" in by.policy.preconditions
    return ProductsInTheWay(policy_version=str(by.version), products=case.products) if stays else None


def _ordered(by: InForce[provisioning.ProvisioningPolicy], case: Ordered) -> Refusal | None:
    against = provisioning.against(case.product, frozenset(case.granted), by.policy)
    return None if against is None else against(policy_version=str(by.version))


def _kept_in(by: InForce[ResidencyPolicy], case: Region) -> Refusal | None:
    if residency.serves(by.policy, case.region):
        return None
    remedy = f"Choose one of {', '.join(sorted(by.policy.regions))}."
    return NotAcceptable("The installation does not serve this region.", rule="MKT-03", remedy=remedy, policy_version=str(by.version))


def _signed_up(by: InForce[SignUpPolicy], case: Accepted) -> Refusal | None:
    if not by.policy.open:
        return SignUpClosed(policy_version=str(by.version))
    return None if case.version == by.policy.terms_version else TermsOutdated(policy_version=str(by.version))


def _no_refusal(_by: Any, _case: Nothing) -> Refusal | None:
    return None


def _says(*members: str) -> Any:
    """What a document says of itself, by its members."""

    def said(policy: Any, _case: Any) -> Mapping[str, JsonValue]:
        document = policy.model_dump(mode="json")
        return {name: document[name] for name in members}

    return said


def _customers(case: Any) -> Present:
    """The partner's present customers, each as a case."""

    async def present(tx: Transaction, most: int) -> list[Any]:
        mine = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id.in_(seen_by(tx, EVERYBODY).order_by(None)))
        return [case(one) for one in await tx.session.scalars(mine.order_by(Customer.id).limit(most))]

    return present


def _first_address(one: Customer) -> Address:
    admin = one.first_admin
    return Address(email=admin.get("email"), domain=one.domain, temporary=bool(admin.get("temporary")))


TRIALS: Final[Mapping[str, Trial]] = {
    BulkPolicy.kind: Trial(case=Reach, rule="BEY-13", decide=lambda by, case: reach.against(by, case.customers, case.of_customers)),
    ConsentPolicy.kind: Trial(
        case=Launch,
        rule="BEY-14",
        decide=_launched,
        outcome=_says("request_expires", "console_launch_lasts"),
        present=_customers(lambda one: Launch(management_type=one.management_type)),
    ),
    ConsolePolicy.kind: Trial(case=Nothing, rule="CUS-55", decide=_no_refusal, outcome=_says("code_lasts", "session_lasts")),
    CapabilityMatrix.kind: Trial(case=Done, rule="CUS-64", decide=_done),
    FieldMutability.kind: Trial(case=Change, rule="C-6", decide=_changed),
    IdentityPolicy.kind: Trial(case=Address, rule="CUS-23", decide=_addressed, present=_customers(_first_address)),
    LicenceTerms.kind: Trial(case=Accepted, rule="CUS-26", decide=_accepted, outcome=_says("version", "title")),
    OffboardingPolicy.kind: Trial(
        case=Deletion,
        rule="CUS-62",
        decide=_deleted,
        outcome=_says("retention", "partner_owned_licences", "disable_after", "delete_after", "notices"),
    ),
    PartnerTree.kind: Trial(case=Level, rule="C-9", decide=lambda by, case: tree.against(case.level, by)),
    provisioning.ProvisioningPolicy.kind: Trial(case=Ordered, rule="CUS-17", decide=_ordered),
    ResidencyPolicy.kind: Trial(
        case=Region, rule="MKT-03", decide=_kept_in, present=_customers(lambda one: Region(region=one.data_region))
    ),
    RolesPolicy.kind: Trial(case=Nothing, rule="CUS-88", decide=_no_refusal, outcome=_says("role_default_access")),
    SignOnPolicy.kind: Trial(case=Nothing, rule="MKT-18", decide=_no_refusal, outcome=_says("recheck_after", "again_after")),
    SignUpPolicy.kind: Trial(case=Accepted, rule="CUS-72", decide=_signed_up, outcome=_says("open", "terms_version", "effort")),
}
