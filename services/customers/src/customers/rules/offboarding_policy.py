"""Off-boarding policy: what must be gone before a deletion, how long a customer can come back, how it goes in stages (C-2, MKT-19)."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Len

from chassis.http.text import Text
from chassis.policies import Policy
from contracts.customers.offboarding import CancelAt, Precondition

type Duration = Annotated[timedelta, Gt(timedelta())]
type Task = Annotated[str, Text(200)]
type Tasks = Annotated[list[Task], Len(0, 20)]


class OffboardingPolicy(Policy):
    """How customers go.

    `preconditions` must hold for a deletion. `partner_owned_licences` says when what is licensed under the partner's own
    programme ends after an unlinking. A deleted customer can be restored for as long as `retention` (`P0D`: never), then
    it is purged, which is `irreversible`. `disable_after` and `delete_after` are when the stages of a planned off-boarding come where
    nobody says otherwise, `notices` how long before each it is announced, the checklists what is to be done before each.
    A move to another partner is called off when not all services have answered `move_within` that time.
    """

    kind: ClassVar[str] = "offboarding"

    preconditions: Annotated[list[Precondition], Len(0, 3)]
    partner_owned_licences: CancelAt
    retention: Annotated[timedelta, Ge(timedelta())]
    purge: Literal["irreversible"]
    disable_after: Duration
    delete_after: Duration
    notices: Annotated[list[Duration], Len(0, 5)]
    disable_checklist: Tasks
    delete_checklist: Tasks
    move_within: Duration = timedelta(hours=1)
