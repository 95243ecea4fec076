"""Possibilities: what whoever asks may do with a customer, before it is tried (CUS-35, GW-10, C-6, BEY-04).

Nothing is decided here. Actions come with what ``rules.capabilities`` says of them, which is
what the verbs go by; fields with what ``rules.mutability`` says, which is what an edit goes by.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.access.rights import Rights
from chassis.database import Read, Reading
from chassis.errors import Refusal
from chassis.http.views import View
from chassis.policies import InForce
from chassis.principal import PARTNERS
from contracts.customers.customers import Company, Contact
from customers.errors import CustomerNotFound, NotEditable
from customers.rules import actions, capabilities, mutability, policies
from customers.rules.capabilities import Action, Asker, CapabilityMatrix
from customers.rules.provisioning import ProvisioningPolicy
from customers.tables.customers import Customer
from customers.tables.known import KnownProgramme

FIELDS: Final = (
    *(f"/company/{name}" for name in Company.model_fields),
    *(f"/contact/{name}" for name in Contact.model_fields),
    "/unmanaged_macs_allowed",
)
"""What an edit may name."""


class DecisionView(View, frozen=True, kw_only=True):
    """Whether an action is open now; if not, by which rule and policy, and what to do about it. `code` is what the verb answers.

    `advice` is what is best done before it is asked for (CUS-50).
    """

    action: str
    allowed: bool
    code: str | None
    rule: str | None
    policy_version: str | None
    reason: str | None
    remedy: str | None
    advice: str | None


class ActionsView(View, frozen=True, kw_only=True):
    """The actions that there are for the caller's kind of user, whether open or not."""

    items: list[DecisionView]


class FieldView(View, frozen=True, kw_only=True):
    """A field of a customer, as a JSON pointer into the body that changes it."""

    field: str
    editable: bool
    code: str | None
    rule: str | None
    remedy: str | None


class FieldsView(View, frozen=True, kw_only=True):
    """Which fields the caller may change, by this version of the policy `field_mutability`."""

    policy_version: str
    items: list[FieldView]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    status: str
    account_type: str
    management_type: str
    first_admin: dict[str, Any]
    tags: list[str]
    moving_to: UUID | None
    shut_out_at: datetime | None
    rejected_for: str | None


def _columns(relation: FromClause, _shape: object) -> Select[Any]:
    """Withheld from portals are tags, which their users' level does not depend on, where it is moved to, and what a reviewer said."""
    wanted = (relation.c[one.name] for one in fields(_Standing) if one.name in relation.c)
    return select(*wanted).where(relation.c.id == bindparam("id"))


_CUSTOMER: Final = Reading(Customer, _columns, customer="id")
_GRANTED: Final = Reading(KnownProgramme, lambda r, _shape: select(r.c.capabilities).where(r.c.status == "active"))


async def actions_of(read: Read, customer_id: UUID) -> ActionsView:
    """What may be done with a customer.

    Raises:
        CustomerNotFound: there is none that the reader sees.
    """
    customer = await _standing(read, customer_id)
    matrix = await policies.read(read, CapabilityMatrix)
    asker = await _asker(read, customer_id, customer)
    offered = (action for action in actions.ALL if asker.kind in action.kinds)
    return ActionsView(items=[_decision(action, capabilities.against(action, asker, customer, matrix), matrix) for action in offered])


async def fields_of(read: Read, customer_id: UUID) -> FieldsView:
    """Which fields of a customer may be changed.

    Raises:
        CustomerNotFound: there is none that the reader sees.
    """
    opened = await mutability.shown(read, "customer", await _standing(read, customer_id))
    return FieldsView(policy_version=str(opened.by.version), items=[_field(one, editable=opened.opens(one)) for one in FIELDS])


async def _standing(read: Read, customer_id: UUID) -> _Standing:
    row = await read.row(_CUSTOMER, id=customer_id)
    if row is None:
        raise CustomerNotFound
    withheld: dict[str, Any] = {"tags": [], "moving_to": None, "rejected_for": None}
    return _Standing(**(withheld | dict(row) | {"first_admin": msgspec.json.decode(row["first_admin"])}))


async def _asker(read: Read, customer_id: UUID, customer: _Standing) -> Asker:
    rights = cast("Rights", read.rights)
    kind = read.principal.kind
    if kind not in PARTNERS:
        return Asker(kind=kind)
    return Asker(
        kind=kind,
        permissions=frozenset(permission for grant in rights.grants for permission in grant.permissions),
        level=rights.level(customer_id, customer.tags),
        capabilities=await _granted(read),
    )


async def _granted(read: Read) -> frozenset[str] | None:
    """What the partner's programme grants; None where the policy lets everybody do what one would have to grant."""
    policy = await policies.read(read, ProvisioningPolicy)
    if policy.policy.paid_without_programme != "no":
        return None
    return frozenset(one for row in await read.rows(_GRANTED) for one in row["capabilities"])


def _decision(action: Action, refusal: Refusal | None, matrix: InForce[CapabilityMatrix]) -> DecisionView:
    version = str(matrix.version) if action.name in matrix.policy.actions else None
    return DecisionView(
        action=action.name,
        allowed=refusal is None,
        code=refusal.code if refusal else None,
        rule=refusal.rule if refusal else action.rule,
        policy_version=refusal.policy_version if refusal else version,
        reason=refusal.detail if refusal else None,
        remedy=refusal.remedy if refusal else None,
        advice=action.advice,
    )


def _field(field: str, *, editable: bool) -> FieldView:
    if editable:
        return FieldView(field=field, editable=True, code=None, rule=None, remedy=None)
    return FieldView(field=field, editable=False, code=NotEditable.code, rule=NotEditable.rule, remedy=NotEditable.remedy)
