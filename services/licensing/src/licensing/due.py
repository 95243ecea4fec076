"""What licensing does when its time has come."""

from typing import Final

from chassis.due import Due
from licensing import trials
from licensing.offboarding import erasing
from licensing.rules import cancelling
from licensing.rules.beginnings import TRIAL_END, TRIAL_NOTICE
from licensing.rules.regranting import REGRANT

DUE: Final = (
    Due(TRIAL_END, trials.end),
    Due(TRIAL_NOTICE, trials.announce),
    Due(cancelling.END, cancelling.end),
    REGRANT,
    erasing.ERASING.due(),
)
