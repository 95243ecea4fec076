"""How long it is believed that a domain is a partner's, before its DNS is asked again (MKT-18)."""

from datetime import timedelta
from typing import Annotated, ClassVar

from annotated_types import Ge

from chassis.policies import Policy


class SignOnPolicy(Policy):
    """A proof is looked up again `recheck_after` it was found, and `again_after` it was not found for the first time."""

    kind: ClassVar[str] = "single_sign_on"

    recheck_after: Annotated[timedelta, Ge(timedelta(days=1))]
    again_after: Annotated[timedelta, Ge(timedelta(hours=1))]
