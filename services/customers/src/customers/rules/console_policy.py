"""Console policy: how long a partner may be at work in a customer's console (CUS-55)."""

from datetime import timedelta
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from chassis.policies import Policy


class ConsolePolicy(Policy):
    """`code_lasts` is how long a console may take to exchange the code that it was opened with, `session_lasts` how long it is open then.

    Neither is prolonged. At most five minutes and twelve hours.
    """

    kind: ClassVar[str] = "console"

    code_lasts: Annotated[timedelta, Gt(timedelta()), Le(timedelta(minutes=5))]
    session_lasts: Annotated[timedelta, Gt(timedelta()), Le(timedelta(hours=12))]
