"""Why customers refuses what concerns consoles."""

from chassis.errors import Kind, Refusal


class NoConsole(Refusal):
    """There is no product console here."""

    kind = Kind.CONFLICT
    code = "no_console"
    remedy = "Whoever runs the installation names one in CUSTOMERS_CONSOLE_URL."
    rule = "GW-04"


class ConsoleUnknown(Refusal):
    """No console that is known here asks so."""

    kind = Kind.UNAUTHENTICATED
    code = "console_unknown"
    remedy = "Send the key that this installation and its console share as `console_key`."
    rule = "GW-04"


class ConsoleCodeInvalid(Refusal):
    """The code opens no console session."""

    kind = Kind.INVALID
    code = "console_code_invalid"
    remedy = "A code is good once and for a minute: launch the console again."
    rule = "GW-04"


class ConsoleSessionNotFound(Refusal):
    """There is no such console session."""

    kind = Kind.NOT_FOUND
    code = "console_session_not_found"
    remedy = "List them with GET /v1/customers/{customer_id}/console-sessions."
    rule = "CUS-55"


class OfferUnknown(Refusal):
    """The customer has nothing by such an offer."""

    kind = Kind.INVALID
    code = "offer_unknown"
    remedy = "Name one of those that GET /v1/console-targets lists with the customer, or none."
    rule = "CUS-56"
