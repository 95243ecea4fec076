"""Every reason for which a draft is refused."""

from chassis.errors import Kind, Refusal


class DraftNotFound(Refusal):
    """There is no such draft."""

    kind = Kind.NOT_FOUND
    code = "draft_not_found"
    remedy = "Check the id; list drafts with GET /v1/customer-drafts. One that nobody changes is forgotten after 30 days."
    rule = "CUS-20"


class DraftSent(Refusal):
    """The draft was sent: it is a customer by now."""

    kind = Kind.CONFLICT
    code = "draft_sent"
    remedy = "Change the customer itself; to see which it is, send the draft again with POST /v1/customer-drafts/{draft_id}/submit."
    rule = "CUS-20"


class DraftTooLarge(Refusal):
    """The draft is too large."""

    kind = Kind.INVALID
    code = "draft_too_large"
    remedy = "Keep less in it: nothing that belongs to no member of POST /v1/customers."
    rule = "CUS-20"


class DraftNotWhole(Refusal):
    """The draft is not whole yet."""

    kind = Kind.INVALID
    code = "draft_not_whole"
    remedy = "Fill in what `errors` names with PATCH, and send it again."
    rule = "CUS-20"
