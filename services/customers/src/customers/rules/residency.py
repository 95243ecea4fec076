"""Residency: where the data of customers may be kept (MKT-03)."""

from typing import Annotated, ClassVar

from annotated_types import Len

from chassis.http.text import Text
from chassis.policies import Policy


class ResidencyPolicy(Policy):
    """``regions`` are those that the installation serves."""

    kind: ClassVar[str] = "residency"

    regions: Annotated[list[Annotated[str, Text(50)]], Len(1, 100)]


def serves(policy: ResidencyPolicy, region: str) -> bool:
    """Whether data may be kept there."""
    return region in policy.regions
