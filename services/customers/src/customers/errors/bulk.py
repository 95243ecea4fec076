"""Why customers refuses to begin a bulk job."""

from chassis.errors import Kind, Refusal


class SelectionChanged(Refusal):
    """The filters leave another number of customers than you have seen."""

    kind = Kind.CONFLICT
    code = "selection_changed"
    remedy = "Look at the customers again, and send their number as `expected`."
    rule = "CUS-68"


class TooFarReaching(Refusal):
    """So many customers at once are not reached without saying so."""

    kind = Kind.CONFLICT
    code = "too_far_reaching"
    remedy = "Try it with `dry_run`; if so many are meant, send it again with their number as `customers`."
    rule = "BEY-13"
