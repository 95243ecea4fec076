"""Why customers refuses to begin a bulk job."""

from chassis.errors import Kind, Refusal


class SelectionChanged(Refusal):
    """The filters leave another number of customers than you have seen."""

    kind = Kind.CONFLICT
    code = "selection_changed"
    remedy = "Look at the customers again, and send their number as `expected`."
    rule = "CUS-68"
