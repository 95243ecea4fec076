"""Why customers refuse to let somebody in, or to change by what somebody gets in."""

from chassis.errors import Kind, Refusal


class CodeWrong(Refusal):
    """The code is wrong, or was used."""

    kind = Kind.UNAUTHENTICATED
    code = "code_wrong"
    remedy = "Send the code that your authenticator shows now, or a recovery code that was not used."
    rule = "MKT-04"


class ChallengeOver(Refusal):
    """Signing in took too long, or is done already."""

    kind = Kind.UNAUTHENTICATED
    code = "challenge_over"
    remedy = "Begin anew with POST /v1/sessions."


class TooManyAttempts(Refusal):
    """Too many attempts."""

    kind = Kind.TOO_MANY
    code = "too_many_attempts"
    remedy = "Wait as long as Retry-After says; where you have signed in before, and with a new password, you can go on."


class PasswordWrong(Refusal):
    """That is not your password."""

    kind = Kind.INVALID
    code = "password_wrong"
    remedy = "Send the password that you sign in with; if you have lost it, ask for a link with POST /v1/password-resets."


class SessionNotFound(Refusal):
    """There is no such session."""

    kind = Kind.NOT_FOUND
    code = "session_not_found"
    remedy = "List your sessions with GET /v1/me/sessions; those that have ended are not listed."


class SecondFactorEnrolled(Refusal):
    """There is a second factor already."""

    kind = Kind.CONFLICT
    code = "second_factor_enrolled"
    remedy = "Give it up first, with DELETE /v1/me/second-factor, to enrol another."
    rule = "MKT-04"


class SecondFactorNotEnrolled(Refusal):
    """There is no second factor."""

    kind = Kind.CONFLICT
    code = "second_factor_not_enrolled"
    remedy = "Enrol one with POST /v1/me/second-factor, and confirm it by a code."
    rule = "MKT-04"


class SecondFactorNeeded(Refusal):
    """Your partner requires a second factor."""

    kind = Kind.CONFLICT
    code = "second_factor_needed"
    remedy = "Keep it; who has lost it asks a Partner Administrator to take it away, and enrols another."
    rule = "MKT-04"


class PasswordTooShort(Refusal):
    """Your password is too short to stand alone."""

    kind = Kind.CONFLICT
    code = "password_too_short"
    remedy = "Choose one of at least `shortest` characters first, with POST /v1/me/password."
    rule = "MKT-04"


class CodeNotAccepted(Refusal):
    """The code is not the one that your authenticator shows."""

    kind = Kind.INVALID
    code = "code_not_accepted"
    remedy = "Check the clock of the device, and send the code that it shows now."
    rule = "MKT-04"


class NotOneself(Refusal):
    """Nobody does that to oneself."""

    kind = Kind.FORBIDDEN
    code = "not_oneself"
    remedy = "Ask another Partner Administrator."
    rule = "CUS-82"


class ContactNotFound(Refusal):
    """There is no such contact."""

    kind = Kind.NOT_FOUND
    code = "contact_not_found"
    remedy = "Look at the user's `contacts`."
    rule = "CUS-78"


class TooManyContacts(Refusal):
    """There are as many contacts as there may be."""

    kind = Kind.CONFLICT
    code = "too_many_contacts"
    remedy = "Remove one first, or change one."
    rule = "CUS-78"


class UserNotDisabled(Refusal):
    """The user is not disabled."""

    kind = Kind.CONFLICT
    code = "user_not_disabled"
    remedy = "Look at its status with GET /v1/users/{user_id}."
