"""Reach: how many customers one bulk job may touch before its sender must say that so many are meant (BEY-13).

A slip of the hand must not reach everybody. Each service whose jobs are over customers keeps the policy itself.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from chassis.errors import Kind, Refusal
from chassis.policies import InForce, Policy


class TooFarReaching(Refusal):
    """So many customers at once are not reached without saying so."""

    kind = Kind.CONFLICT
    code = "too_far_reaching"
    remedy = "Try it with `dry_run`; if so many are meant, send it again with their number as `customers`."
    rule = "BEY-13"


class BulkPolicy(Policy):
    """Above `customers`, or above `per_cent` of those that the partner runs, the number must be confirmed.

    Up to `always` customers it need not be, whatever share of all they are.
    """

    kind: ClassVar[str] = "bulk"

    customers: Annotated[int, Ge(1)]
    per_cent: Annotated[int, Ge(1), Le(100)]
    always: Annotated[int, Ge(0)]


async def admit(
    limits: InForce[BulkPolicy], customers: int, *, confirmed: int | None, count_all: Callable[[], Awaitable[int | None]]
) -> None:
    """Go on with so many customers. ``confirmed`` is the number that the sender repeats; ``count_all`` says how many its partner runs.

    Raises:
        TooFarReaching: the number must be confirmed.
    """
    if customers <= limits.policy.always or customers == confirmed:
        return
    refusal = against(limits, customers, await count_all() or 0)
    if refusal is not None:
        raise refusal


def against(limits: InForce[BulkPolicy], customers: int, of_customers: int) -> TooFarReaching | None:
    """What is against reaching so many of so many, where nobody has said that they are meant."""
    policy = limits.policy
    if customers <= policy.always or (customers <= policy.customers and customers * 100 <= of_customers * policy.per_cent):
        return None
    return TooFarReaching(
        policy_version=str(limits.version),
        customers=customers,
        of_customers=of_customers,
        most=policy.customers,
        most_per_cent=policy.per_cent,
    )
