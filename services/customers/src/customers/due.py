"""What customers does when its time has come.

Links for lost passwords, partners that signed up, addresses let go, ends of console sessions and of consents, imports, moves,
purges of deleted customers, looks at all customers after a list of denied parties was loaded, proofs of domains.
"""

from collections.abc import Sequence

from chassis.due import Due
from customers import sign_ups
from customers.consents import expiring, import_work
from customers.consoles import launching
from customers.denied_parties import rescreening
from customers.identity import email_changes, resets
from customers.offboarding import deletion, moving, purging, staging
from customers.rules import console_sessions, going
from customers.rules.text_records import TextRecords
from customers.single_sign_on import proofs


def kinds(records: TextRecords | None = None) -> Sequence[Due]:
    """``records`` is where the DNS is asked; without it, as the system does."""
    return (
        Due(resets.RESET, resets.send),
        Due(sign_ups.FOUND, sign_ups.make),
        Due(email_changes.OVER, email_changes.be_over),
        Due(console_sessions.EXPIRE, launching.expire),
        expiring.DUE,
        *import_work.DUE,
        Due(going.STAGE, staging.carry_out),
        Due(moving.LOOK, moving.look),
        Due(deletion.PURGE, purging.purge),
        Due(purging.ASK_AGAIN, purging.ask_again),
        purging.ERASING.due(),
        *rescreening.DUE,
        proofs.due_work(records or TextRecords()),
    )
