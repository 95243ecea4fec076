"""Why customers refuses what concerns consents, and what was asked for by them."""

from chassis.errors import Kind, Refusal


class ConsentNotFound(Refusal):
    """There is no such consent."""

    kind = Kind.NOT_FOUND
    code = "consent_not_found"
    remedy = "List the customer's consents with GET /v1/customers/{customer_id}/consents."
    rule = "BEY-14"


class ConsentSettled(Refusal):
    """The question is settled already."""

    kind = Kind.CONFLICT
    code = "consent_settled"
    remedy = "`state` says how; if it is to be asked again, the partner asks again."
    rule = "BEY-14"


class ConsentRequired(Refusal):
    """The customer has not consented to this."""

    kind = Kind.FORBIDDEN
    code = "consent_required"
    remedy = "Ask the customer with POST /v1/customers/{customer_id}/consents, and wait for its answer."
    rule = "BEY-14"


class NothingToRevoke(Refusal):
    """Nothing of this kind is asked for or granted."""

    kind = Kind.CONFLICT
    code = "nothing_to_revoke"
    remedy = "Look at GET /v1/customers/{customer_id}/consents; what was carried out is undone by asking for its opposite."
    rule = "BEY-14"
