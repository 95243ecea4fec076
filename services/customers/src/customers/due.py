"""Due work: links for who has lost its password."""

from collections.abc import Sequence

from chassis.due import Due
from customers.identity import resets


def kinds() -> Sequence[Due]:
    return (Due(resets.RESET, resets.send),)
