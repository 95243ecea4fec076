"""What requests for jobs over customers have in common (CUS-68, BEY-13)."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Len

from chassis.http.bodies import Body
from chassis.http.confirmations import Confirmation

type Count = Annotated[int, Ge(0)]


class Selected(Body):
    """These customers. One that the caller does not see is not found, and no other learns of it."""

    ids: Annotated[list[UUID], Len(1, 10_000)]

    @property
    def meant(self) -> Sequence[UUID]:
        return self.ids


class Bulk(Body):
    """`dry_run` says of each customer what would become of it, and changes nothing.

    `customers` repeats the number of customers where a refusal asked for it, `confirmation` what it answered with the consequences.
    """

    dry_run: bool = False
    customers: Count | None = None
    confirmation: Confirmation | None = None
