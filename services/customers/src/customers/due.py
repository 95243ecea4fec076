"""What customers does when its time has come: links for who has lost its password, the end of console sessions."""

from collections.abc import Sequence

from chassis.due import Due
from customers.consoles import launching
from customers.identity import resets
from customers.rules import console_sessions


def kinds() -> Sequence[Due]:
    return (Due(resets.RESET, resets.send), Due(console_sessions.EXPIRE, launching.expire))
