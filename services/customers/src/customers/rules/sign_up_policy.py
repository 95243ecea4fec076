"""Whether anybody may sign up as a partner, and to which terms it then agrees (CUS-71, CUS-72, GW-12)."""

from typing import Annotated, ClassVar

from pydantic import Field

from chassis.http.text import Text
from chassis.policies import Policy


class SignUpPolicy(Policy):
    """``effort`` is how much each try at the proof of work costs a browser: rounds of PBKDF2, of which it takes 256 tries on average."""

    kind: ClassVar[str] = "sign_up"

    open: bool
    terms_version: Annotated[str, Text(50)]
    terms_text: Annotated[str, Text(20_000, lines=True)]
    terms_url: Annotated[str, Text(2000)] | None
    effort: Annotated[int, Field(ge=1, le=100_000)]
