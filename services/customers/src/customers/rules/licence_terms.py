"""The licence terms, which every customer's creation says are accepted (CUS-26)."""

from typing import Annotated, ClassVar

from chassis.http.text import Text
from chassis.policies import Policy


class LicenceTerms(Policy):
    """Another ``version`` asks for another acceptance. ``text`` is shown beside the box, ``url`` is where the whole stands, if anywhere."""

    kind: ClassVar[str] = "eula"

    version: Annotated[str, Text(50)]
    title: Annotated[str, Text(200)]
    text: Annotated[str, Text(20_000, lines=True)]
    url: Annotated[str, Text(2000)] | None
