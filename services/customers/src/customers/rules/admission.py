"""Admission: how somebody becomes a user.

Nobody shares a login: the trigger behind ``users`` keeps the address in ``logins``, whose
primary key decides when two are admitted at once (CUS-11, CUS-76).
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from contracts.customers.credentials import LinkPurpose
from contracts.customers.users import UserCreated, UserFact, UserKind
from customers.rules import linking
from customers.rules.constraints import settle
from customers.rules.telling import tell_user
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who is admitted as what. With a password hash it may sign in at once; with a link it first sets its password.

    ``pointer`` is where the body says the address, ``data_region`` that of its customer.
    """

    kind: UserKind
    name: str
    email: str
    language: str
    user_id: UUID
    role_ids: tuple[UUID, ...] = ()
    customer_id: UUID | None = None
    data_region: str = "default"
    password_hash: str | None = None
    link_id: UUID | None = None
    purpose: LinkPurpose = "invitation"
    pointer: str = "/email"


async def admit(tx: Transaction, admission: Admission) -> User:
    """Make the user, its link or its password, and tell of it.

    Raises:
        EmailTaken: somebody else has the address.
    """
    user = _user(tx, admission)
    tx.session.add(user)
    await settle(tx, admission.pointer)
    facts: list[UserFact] = [UserCreated(kind=admission.kind, role_ids=user.role_ids)]
    if admission.password_hash is not None:
        await put_password(tx, user, admission.password_hash)
    if admission.link_id is not None:
        facts.append(await linking.give(tx, user, admission.purpose, admission.link_id))
    tell_user(tx, user, *facts)
    return user


async def put_password(tx: Transaction, user: User, password_hash: str) -> None:
    """Put a password where no running role reads it."""
    await tx.session.execute(select(func.door.set_password(tx.partner_id, user.id, password_hash)))


def _user(tx: Transaction, admission: Admission) -> User:
    return User(
        partner_id=tx.partner_id,
        id=admission.user_id,
        customer_id=admission.customer_id,
        data_region=admission.data_region,
        kind=admission.kind,
        status="active" if admission.password_hash else "invited",
        gen=1,
        name=admission.name,
        email=admission.email,
        language=admission.language,
        role_ids=list(admission.role_ids),
        created_at=tx.now,
        updated_at=tx.now,
    )
