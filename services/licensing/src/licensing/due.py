"""What licensing does when its time has come."""

from typing import Final

from chassis.due import Due
from licensing import trials
from licensing.offboarding import erasing
from licensing.product_settings import deploying
from licensing.rules import cancelling, deployments
from licensing.rules.beginnings import TRIAL_END, TRIAL_NOTICE
from licensing.rules.regranting import REGRANT

DUE: Final = (
    Due(TRIAL_END, trials.end),
    Due(TRIAL_NOTICE, trials.announce),
    Due(cancelling.END, cancelling.end),
    Due(deployments.UNANSWERED, deploying.give_up),
    REGRANT,
    erasing.ERASING.due(),
)
