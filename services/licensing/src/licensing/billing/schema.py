"""The published shape of a scenario file: a situation, what happens on which day, and the lines that must come out.

A file has one or more cases. Amounts are strings; days are local dates ("2025-04-11") in the case's zone, and an instant
("2025-04-11T10:00:00Z") may stand wherever a day may. ``scenario.schema.json`` beside this module is its JSON Schema.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema, model_validator

from licensing.billing.lines import Reason
from licensing.billing.money import Exact, Price, minor_units
from licensing.billing.periods import Length
from licensing.billing.policies import Charge, Frozen, Policy, Terms
from licensing.billing.proration import Moment
from licensing.billing.purchases import CoTermKind
from licensing.billing.usage import UsageRecord


def _known(currency: str) -> str:
    minor_units(currency)
    return currency


Currency = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
Quantity = Annotated[Exact, Field(ge=0, max_digits=15)]
Zone = Annotated[ZoneInfo, WithJsonSchema({"type": "string", "description": "IANA name", "examples": ["America/New_York"]})]


class CoTerm(Frozen):
    """Align the periods to another subscription's end, or to the end of a calendar month; at purchase only."""

    kind: CoTermKind
    last_day: date
    """The last day included: what ends at the first moment of 1 January has the last day 31 December."""
    period: Length | None = None
    """The other subscription's period. A longer one cannot be aligned to a shorter."""

    @model_validator(mode="after")
    def _another_subscription_has_a_period(self) -> Self:
        if (self.kind is CoTermKind.SUBSCRIPTION) != (self.period is not None):
            raise ValueError("co-terming to a subscription needs its period, to a month it has none")
        return self


class Start(Frozen):
    on: Moment
    """Purchase. An instant opens the cancel window exactly then; a date at the first moment of that day."""
    quantity: Quantity = Decimal(1)
    already_charged: bool = False
    """The line of the first period was told on an earlier statement: it can be credited, but is not in the result."""
    co_term: CoTerm | None = None


class Trial(Frozen):
    starts: Moment
    length: Length | None = None
    """Whole local days (or months), the first day included."""
    ends_at: AwareDatetime | None = None
    """Or the instant at which it ends."""
    quantity: Quantity = Decimal(1)

    @model_validator(mode="after")
    def _ends_once(self) -> Self:
        if (self.length is None) == (self.ends_at is None):
            raise ValueError("a trial has a length or an end")
        return self


class Dated(Frozen):
    on: Moment
    """The day that already belongs to the new state; with ``terminate`` and day_inclusive the last day that counts."""


class QuantityChange(Dated):
    """More seats now, or fewer by the decrease policy. ``to`` is the new number of seats, ``by`` the difference."""

    kind: Literal["quantity"]
    to: Quantity | None = None
    by: Exact | None = None

    @model_validator(mode="after")
    def _to_or_by(self) -> Self:
        if (self.to is None) == (self.by is None):
            raise ValueError("a change of quantity says to or by")
        return self


class RenewalQuantityChange(Dated):
    """Set the quantity of the next term; ``mode: follow`` lets it follow the current quantity again. Never a line."""

    kind: Literal["renewal_quantity"]
    to: Quantity | None = None
    mode: Literal["fixed", "follow"] = "fixed"

    @model_validator(mode="after")
    def _fixed_has_a_number(self) -> Self:
        if (self.mode == "fixed") != (self.to is not None):
            raise ValueError("a fixed renewal quantity has a number, a following one has none")
        return self


class PlanChange(Dated):
    """Another price, and possibly another period; credits the rest of the old and charges the rest of the new."""

    kind: Literal["plan"]
    price: Price
    period: Length | None = None
    """Absent: as before."""
    term: Length | None = None
    anchor_day: Annotated[int, Field(ge=1, le=31)] | None = None
    """Where periods of the new plan begin; absent: as before, or with another period on the day of the change."""
    quantity: Quantity | None = None


class PriceChange(Dated):
    """A new list price: pinned prices stay until the term ends."""

    kind: Literal["list_price"]
    price: Price


class Conversion(Dated):
    """The trial becomes a paid subscription; the first paid period starts now."""

    kind: Literal["convert"]
    quantity: Quantity | None = None
    """Absent: the trial's."""


class Termination(Dated):
    """Ends now, whatever the cancel policy says."""

    kind: Literal["terminate"]
    credit: bool = True
    """Whether the unused rest of what was charged in advance is credited."""


class AutoRenewal(Dated):
    kind: Literal["auto_renew"]
    auto_renew: bool


class Simple(Dated):
    """``cancel`` by the policy (``take_back_cancellation`` undoes one that waits for the term's end); ``suspend`` and ``resume``;
    ``split`` cuts a period in two without changing anything, so that its parts become lines of their own.
    """

    kind: Literal["cancel", "take_back_cancellation", "suspend", "resume", "split"]


Change = Annotated[
    QuantityChange | RenewalQuantityChange | PlanChange | PriceChange | Conversion | Termination | AutoRenewal | Simple,
    Field(discriminator="kind"),
]


class Stretch(Frozen):
    starts: Moment
    ends: Moment
    """Not included, but with day_inclusive included."""


class Weight(Frozen):
    customer: str
    weight: Quantity


class ExpectedLine(Frozen):
    """What must be true of one line; absent fields may be anything."""

    what: str = ""
    """For the reader only."""
    amount: Exact
    reason: Reason | None = None
    price: Exact | None = None
    quantity: Exact | None = None
    numerator: int | None = None
    denominator: int | None = None
    adjustment: Exact | None = None
    starts: Moment | None = None
    ends: Moment | None = None


class Expected(Frozen):
    """What must come out; absent fields are not compared."""

    lines: tuple[ExpectedLine, ...] | None = None
    """Exactly these lines, in any order."""
    net: Exact | None = None
    children: tuple[tuple[Exact, ...], ...] | None = None
    """The customers' amounts of each line, in the order of the lines."""
    notices: tuple[str, ...] | None = None
    """Codes, in order."""
    ratio: Exact | None = None
    """Rounded HALF_UP to as many decimals as are written."""
    trial_ends_local: datetime | None = None
    """The wall clock, without an offset."""
    trial_ends_utc: AwareDatetime | None = None


class Case(Frozen):
    """One situation."""

    name: str = ""
    currency: Currency = "EUR"
    zone: Zone = ZoneInfo("UTC")
    terms: Terms | None = None
    policy: Policy = Policy()
    start: Start | None = None
    """A purchase. With a trial the paid start is its conversion instead."""
    trial: Trial | None = None
    changes: tuple[Change, ...] = ()
    """Applied by day; those of one day in the order given."""
    usage: tuple[UsageRecord, ...] = ()
    """Only with terms charged in arrears. Without records a usage mode counts the subscription's own quantity."""
    until: Moment | None = None
    """Rate what falls due before this day, and periods that close on it. Absent: the period of the last change, to its end."""
    allocate: tuple[Weight, ...] = ()
    """Share every line out over these customers."""
    ratio_of: Stretch | None = None
    """Ask how many periods a stretch is worth."""
    expect: Expected = Expected()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.terms is None and (self.start or self.usage or self.ratio_of or self.changes):
            raise ValueError("there is nothing to rate without terms")
        if self.start and self.trial:
            raise ValueError("a trial is bought by its conversion, not by a start")
        if (self.changes or self.usage) and not (self.start or self.trial):
            raise ValueError("changes and usage need a start or a trial")
        if self.terms and self.terms.charge is Charge.IN_ADVANCE and (self.usage or self.policy.usage):
            raise ValueError("usage is charged in arrears")
        return self


class ScenarioFile(Frozen):
    id: str
    about: str = ""
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
