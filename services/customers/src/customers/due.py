"""What customers does when its time has come: links for lost passwords, ends of console sessions, purges of deleted customers."""

from collections.abc import Sequence

from chassis.due import Due
from customers.consoles import launching
from customers.identity import resets
from customers.offboarding import deletion, purging
from customers.rules import console_sessions


def kinds() -> Sequence[Due]:
    return (
        Due(resets.RESET, resets.send),
        Due(console_sessions.EXPIRE, launching.expire),
        Due(deletion.PURGE, purging.purge),
        Due(purging.ASK_AGAIN, purging.ask_again),
        purging.ERASING.due(),
    )
