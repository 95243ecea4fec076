"""The rating calculator: commercial changes and closed usage periods become immutable lines that explain themselves.

Pure: no clock, no database, no floats, no randomness. The caller passes the day, the policy and the ids of the lines; the
same arguments give byte-equal lines. Amounts are ``Decimal`` in the currency's minor unit by ISO 4217, prices are per seat
and whole period with at most 6 decimals, days are local dates in the subscription's IANA zone, and stretches are half-open.

For the state machine around it:

- ``rate_first_period(terms, quantity, starts_on, currency, policy, line_id=...)`` for a purchase or a conversion
  (``reason=Reason.CONVERSION``), ``rate_next_period(...)`` for a renewal or the next cycle; ``grid_of(terms, starts_on)``
  gives the periods: ``.containing(day)``.
- ``Book(Basis(...), period, told)`` is one period and its lines so far. On it ``rate_part`` charges more seats from a day on,
  ``take_back`` credits fewer, ``rate_parts`` closes a period in arrears, ``recharge`` writes ``credit_and_recharge``.
- ``refund`` and ``window_is_open`` for cancellation, ``usage_line`` and ``true_up`` at the closing, ``trial_end`` for trials,
  ``co_termed`` for terms that end together, ``allocated`` for a line that several customers share.
- ``recompute(line)`` derives a line's amount from the line alone (BEY-06).
- ``rate(case)`` runs a whole scenario; ``python -m licensing.billing FILE`` does so for a file in ``scenario.schema.json``.

Positions in time (``Part``, ``Span``, ``on``) are what ``basis.axis.position(moment)`` gives: local dates, or UTC instants with
the convention ``second``. Rules and their sources are named where they are applied; V01..V15 are the worked examples.
"""

from licensing.billing.changes import Basis, Book, Part, grid_of, rate_part, rate_parts, recharge, take_back
from licensing.billing.closing import Stay, parts_of, true_up, usage_line
from licensing.billing.lines import Line, Reason, Span, allocated, net, open_amount, open_quantity, recompute
from licensing.billing.money import RoundingOrder, UnknownCurrency, allocate, minor_units, rest_to_the_last, rounded
from licensing.billing.periods import Cadence, Grid, Period, TrialEnd, instant_of, local_date, trial_end, trial_end_at
from licensing.billing.policies import CancelPolicy, Charge, Policy, PolicyVersion, Terms, UsagePolicy
from licensing.billing.proration import Axis, Convention, ratio_between
from licensing.billing.purchases import CoTermKind, CoTermRefused, co_termed, rate_first_period, rate_next_period
from licensing.billing.refunds import Charged, refund, window_is_open
from licensing.billing.scenarios import Rating, differences, rate
from licensing.billing.schema import Case, ScenarioFile
from licensing.billing.usage import UsageRecord, levels_of

__all__ = [
    "Axis",
    "Basis",
    "Book",
    "Cadence",
    "CancelPolicy",
    "Case",
    "Charge",
    "Charged",
    "CoTermKind",
    "CoTermRefused",
    "Convention",
    "Grid",
    "Line",
    "Part",
    "Period",
    "Policy",
    "PolicyVersion",
    "Rating",
    "Reason",
    "RoundingOrder",
    "ScenarioFile",
    "Span",
    "Stay",
    "Terms",
    "TrialEnd",
    "UnknownCurrency",
    "UsagePolicy",
    "UsageRecord",
    "allocate",
    "allocated",
    "co_termed",
    "differences",
    "grid_of",
    "instant_of",
    "levels_of",
    "local_date",
    "minor_units",
    "net",
    "open_amount",
    "open_quantity",
    "parts_of",
    "rate",
    "rate_first_period",
    "rate_next_period",
    "rate_part",
    "rate_parts",
    "ratio_between",
    "recharge",
    "recompute",
    "refund",
    "rest_to_the_last",
    "rounded",
    "take_back",
    "trial_end",
    "trial_end_at",
    "true_up",
    "usage_line",
    "window_is_open",
]
