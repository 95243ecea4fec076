"""Bulk policy: how many customers one request may reach before its sender must say that so many are meant (BEY-13)."""

from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from chassis.policies import Policy


class BulkPolicy(Policy):
    """Above `customers`, or above `per_cent` of those that the partner runs, the number must be confirmed.

    Up to `always` customers it need not be, whatever share of all they are.
    """

    kind: ClassVar[str] = "bulk"

    customers: Annotated[int, Ge(1)]
    per_cent: Annotated[int, Ge(1), Le(100)]
    always: Annotated[int, Ge(0)]
