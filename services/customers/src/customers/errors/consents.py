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


class LoginTemporary(Refusal):
    """Who signs in by a temporary address does not consent for the customer."""

    kind = Kind.FORBIDDEN
    code = "login_temporary"
    remedy = "Answer by the link that was mailed to the contact, or have the address replaced by a lasting one first."
    rule = "CUS-49"


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


class ManagedSoAlready(Refusal):
    """The customer is managed so already."""

    kind = Kind.CONFLICT
    code = "management_unchanged"
    remedy = "Ask for another management type; what was asked for is taken back with POST /v1/customers/{customer_id}/consents/revoke."
    rule = "CUS-48"


class ImportedAlready(Refusal):
    """The account of this address is your customer's already."""

    kind = Kind.CONFLICT
    code = "customer_already_yours"
    remedy = "Find it with GET /v1/customers/{customer_id}."
    rule = "CUS-42"


class ImportOpen(Refusal):
    """You have asked this address already."""

    kind = Kind.CONFLICT
    code = "import_open"
    remedy = "Wait for the answer, GET /v1/imports; it may be asked again once the request has ended."
    rule = "CUS-43"


class ImportNotFound(Refusal):
    """There is no such import."""

    kind = Kind.NOT_FOUND
    code = "import_not_found"
    remedy = "List your imports with GET /v1/imports."


class MacsInTheWay(Refusal):
    """The account does not allow unmanaged Macs, and may have some."""

    kind = Kind.CONFLICT
    code = "macs_in_the_way"
    remedy = "Allow unmanaged Macs, or delete all Macs from the account and say so with `no_macs`."
    rule = "CUS-47"
