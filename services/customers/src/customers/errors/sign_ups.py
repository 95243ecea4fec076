"""Why customers refuse somebody who signs up as a partner."""

from chassis.errors import Kind, Refusal


class SignUpClosed(Refusal):
    """Nobody signs up here by itself."""

    kind = Kind.FORBIDDEN
    code = "sign_up_closed"
    remedy = "Ask the operator, or a partner that you would work for, to register you."
    rule = "CUS-72"


class TermsOutdated(Refusal):
    """Another version of the terms is in force."""

    kind = Kind.INVALID
    code = "terms_not_in_force"
    remedy = "Show the terms that GET /v1/sign-ups/challenge answers, and send their version once they are accepted."
    rule = "CUS-71"


class ProofNotAccepted(Refusal):
    """The proof of work is not accepted."""

    kind = Kind.INVALID
    code = "proof_not_accepted"
    remedy = "Ask for a challenge with GET /v1/sign-ups/challenge, solve it, and send its proof once."
    rule = "GW-12"
