"""How customers tells what happened to a partner, a user, a role, a customer, a consent.

Every fact goes to its own topic; the whole state goes once to the entity's state topic. All
carry the version that the change gave the entity, so flush before telling.
"""

from typing import Final
from uuid import UUID

from chassis.database import About, Transaction
from chassis.retelling import Retelling
from contracts.customers.consents import Addressee, ConsentRecorded
from contracts.customers.console_sessions import ConsoleSessionFact
from contracts.customers.customers import CustomerChanged, CustomerCreated, CustomerFact, CustomerState, CustomerTagged
from contracts.customers.partners import PartnerChanged, PartnerFact, PartnerState
from contracts.customers.roles import RoleChanged, RoleDeleted, RoleFact, RoleState
from contracts.customers.users import UserChanged, UserFact, UserState
from contracts.records import Fact
from contracts.root import ROOT_PARTNER_ID
from customers.rules import rights_history
from customers.tables.consents import Consent, ConsentEntry
from customers.tables.console_sessions import ConsoleSession
from customers.tables.customers import Customer
from customers.tables.partners import Partner
from customers.tables.roles import Role
from customers.tables.users import User


def tell_partner(tx: Transaction, partner: Partner, *facts: PartnerFact) -> None:
    about = tx.entity("partner", partner.id, version=partner.version)
    state = PartnerState.model_validate(partner)
    tx.tell(PartnerChanged(facts=_topics(facts), state=state), about=about, caused_by=_told(tx, about, facts))


def tell_user(tx: Transaction, user: User, *facts: UserFact) -> None:
    rights_history.remember_user(tx, user)
    about = tx.entity("user", user.id, version=user.version, customer_id=user.customer_id, data_region=user.data_region)
    state = UserState.model_validate(user)
    tx.tell(UserChanged(facts=_topics(facts), state=state), about=about, caused_by=_told(tx, about, facts))


def tell_user_ending(tx: Transaction, user: User, fact: UserFact) -> None:
    """The user was removed: whoever follows its state forgets it."""
    rights_history.end_user(tx, user)
    about = tx.entity("user", user.id, version=user.version + 1, customer_id=user.customer_id, data_region=user.data_region)
    tx.tell(UserChanged.ending(), about=about, caused_by=_told(tx, about, (fact,)))


def tell_role(tx: Transaction, role: Role, *facts: RoleFact) -> None:
    rights_history.remember_role(tx, role)
    about = tx.entity("role", role.id, version=role.version)
    state = RoleState.model_validate(role)
    tx.tell(RoleChanged(facts=_topics(facts), state=state), about=about, caused_by=_told(tx, about, facts))


def tell_role_ending(tx: Transaction, role: Role) -> None:
    """There is no such role any more."""
    rights_history.end_role(tx, role)
    about = tx.entity("role", role.id, version=role.version + 1)
    tx.tell(RoleChanged.ending(), about=about, caused_by=_told(tx, about, (RoleDeleted(name=role.name),)))


def tell_customer(tx: Transaction, customer: Customer, *facts: CustomerFact, urgent: bool = False) -> None:
    """``urgent`` when its tags, partner or management type changed: then so did who may do what with it."""
    if customer.version == 1 or any(isinstance(fact, _MARKING) for fact in facts):
        rights_history.remember_customer(tx, customer)
    about = tx.entity("customer", customer.id, version=customer.version, customer_id=customer.id, data_region=customer.data_region)
    state = CustomerState.model_validate(customer)
    tx.tell(CustomerChanged(facts=_topics(facts), state=state), about=about, caused_by=_told(tx, about, facts), urgent=urgent)


def tell_state(tx: Transaction, customer: Customer) -> None:
    """It is known from now on, at the version that it has, and nothing happened to it: it was imported with its history (BEY-15)."""
    about = tx.entity("customer", customer.id, version=customer.version, customer_id=customer.id, data_region=customer.data_region)
    tx.tell(CustomerChanged(facts=[], state=CustomerState.model_validate(customer)), about=about, urgent=True)


def tell_fact(tx: Transaction, customer: Customer, fact: CustomerFact) -> None:
    """What happened to a customer at its present version, where its state is another partner's to tell: it has changed hands."""
    about = tx.entity("customer", customer.id, version=customer.version, customer_id=customer.id, data_region=customer.data_region)
    tx.tell(fact, about=about)


def tell_consent(tx: Transaction, customer: Customer, consent: Consent, entry: ConsentEntry, ask: Addressee | None) -> None:
    """An import is told under the root party: neither the partner that asks nor the one that has the customer may know of the other."""
    secret = consent.kind == "import"
    about = About(
        kind="consent",
        id=consent.id,
        version=consent.version,
        partner_id=ROOT_PARTNER_ID if secret else consent.partner_id,
        customer_id=None if secret else customer.id,
        data_region=customer.data_region,
    )
    said = {name: getattr(consent, name) for name in ConsentRecorded.model_fields if name not in {"number", "hash", "ask"}}
    tx.tell(ConsentRecorded(**said, number=entry.number, hash=entry.hash.hex(), ask=ask), about=about)


def tell_console_session(tx: Transaction, session: ConsoleSession, fact: ConsoleSessionFact) -> None:
    """Nobody needs its whole state: what is live is asked here."""
    customer_id, region = session.customer_id, session.data_region
    about = tx.entity("console_session", session.id, version=session.version, customer_id=customer_id, data_region=region)
    tx.tell(fact, about=about)


def _told(tx: Transaction, about: About, facts: tuple[Fact, ...]) -> list[UUID]:
    return [tx.tell(fact, about=about) for fact in facts]


def _topics(facts: tuple[Fact, ...]) -> list[str]:
    return [fact.topic for fact in facts]


_MARKING: Final = (CustomerCreated, CustomerTagged)
"""Facts with which a customer's tags are others."""

RETELLINGS: Final = (
    Retelling(aggregate="partner", rows=Partner, tell=tell_partner),
    Retelling(aggregate="user", rows=User, tell=tell_user),
    Retelling(aggregate="role", rows=Role, tell=tell_role),
    Retelling(aggregate="customer", rows=Customer, tell=tell_customer),
)
