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
