"""The tree of partners: distributor, partner, sub-partner; how deep it may be is a policy (C-9, CUS-19)."""

from collections.abc import Sequence
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from chassis.database import Transaction
from chassis.policies import InForce, Policy
from customers.errors.partners import TreeTooDeep
from customers.rules import policies


class PartnerTree(Policy):
    """``deepest`` is how many levels of partners stand below the root party at most; 1 is a flat tree."""

    kind: ClassVar[str] = "partner_tree"

    deepest: Annotated[int, Field(ge=1, le=10)]


async def check_depth(tx: Transaction, ancestors: Sequence[UUID]) -> None:
    """Whether a partner may be registered below these, the root party first.

    Raises:
        TreeTooDeep: it would stand too far down.
    """
    refusal = against(len(ancestors), await policies.in_force(tx, PartnerTree))
    if refusal is not None:
        raise refusal


def against(level: int, by: InForce[PartnerTree]) -> TreeTooDeep | None:
    """What is against a partner on this level."""
    if level <= by.policy.deepest:
        return None
    detail = f"It would stand on level {level}, and {by.policy.deepest} is the last."
    return TreeTooDeep(detail, policy_version=str(by.version), errors=[TreeTooDeep.at("/parent_id", detail)])
