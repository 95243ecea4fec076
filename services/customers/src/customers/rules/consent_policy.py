"""Consent policy: how long customers may take to answer, and what lets a partner into their consoles (BEY-14)."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from chassis.policies import Policy

type Duration = Annotated[timedelta, Gt(timedelta())]


class ConsentPolicy(Policy):
    """What is asked of customers, and how long it holds.

    `request_expires` is how long a customer may take to answer (P90D). `console_launch` says whether a management type
    that lets the partner sign in is leave enough to launch a console, until the customer says otherwise (`management_type`), or
    whether the customer must have granted it (`explicit`); a grant ends after `console_launch_lasts`.
    """

    kind: ClassVar[str] = "consent"

    request_expires: Duration
    console_launch: Literal["management_type", "explicit"]
    console_launch_lasts: Duration
