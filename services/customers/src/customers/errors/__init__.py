"""Every reason for which customers refuses."""

from chassis.access.rights import CustomerNotFound as CustomerNotFound
from chassis.errors import Kind, Refusal


class NotAcceptable(Refusal):
    """Something in the body cannot be accepted."""

    kind = Kind.INVALID
    code = "not_acceptable"
    remedy = "Correct what `errors` names and send it again."


class TooManyTags(Refusal):
    """The customer would have too many tags."""

    kind = Kind.INVALID
    code = "too_many_tags"
    remedy = "It has at most `most`; take some from it first."
    rule = "MKT-01"


class EmailTaken(Refusal):
    """The e-mail address exists in the system already."""

    kind = Kind.CONFLICT
    code = "email_taken"
    remedy = "Contact customer service to add a trial to the existing account, or take another address."
    rule = "CUS-11"


class DuplicateCompany(Refusal):
    """You have this company as a customer already."""

    kind = Kind.CONFLICT
    code = "duplicate_company"
    remedy = "Find it with GET /v1/customers?q=...; if it is another company, correct its name or country."
    rule = "CUS-12"


class ProgrammeRequired(Refusal):
    """Paid products need an active programme that grants them."""

    kind = Kind.FORBIDDEN
    code = "no_programme"
    remedy = "Ask for trials, or activate your programme first with POST /v1/programmes."
    rule = "CUS-17"


class SerialRequired(Refusal):
    """Without a programme a paid product needs its serial number."""

    kind = Kind.INVALID
    code = "serial_required"
    remedy = "Say the product's serial number as `serial_number` in the product's answers, or activate your programme."
    rule = "LIC-10"


class SeatCapExceeded(Refusal):
    """A trial of this offer has fewer seats."""

    kind = Kind.CONFLICT
    code = "seat_cap_exceeded"
    remedy = "Order at most the seats that the trial policy allows, or buy the product."
    rule = "LIC-01"


class TrialUsedUp(Refusal):
    """The product is tried by another offer already."""

    kind = Kind.CONFLICT
    code = "trial_used_up"
    remedy = "Ask for one trial of each product, by the offer that suits the customer."
    rule = "C-1"


class EulaOutdated(Refusal):
    """Another version of the licence terms is in force."""

    kind = Kind.INVALID
    code = "eula_not_in_force"
    remedy = "Show the terms that GET /v1/eula names, and send their version once they are accepted."
    rule = "CUS-26"


class NotEditable(Refusal):
    """You may not change this field."""

    kind = Kind.FORBIDDEN
    code = "not_editable"
    remedy = "Leave it as it is; GET /v1/customers/{customer_id}/fields says which you may change."
    rule = "C-6"


class NotOffered(Refusal):
    """Not offered for such a customer."""

    kind = Kind.CONFLICT
    code = "not_offered"
    remedy = "Look at what is offered for it with GET /v1/customers/{customer_id}/actions."
    rule = "CUS-64"


class StatusForbids(Refusal):
    """The customer's status does not allow this."""

    kind = Kind.CONFLICT
    code = "status_forbids"
    remedy = "Look at its status and at what may be done with it with GET /v1/customers/{customer_id}/actions."
    rule = "GW-10"


class NotInReview(Refusal):
    """The customer is not in review."""

    kind = Kind.CONFLICT
    code = "not_in_review"
    remedy = "List what is in review with GET /v1/reviews."
    rule = "CUS-14"


class PartnerNotFound(Refusal):
    """There is no such partner."""

    kind = Kind.NOT_FOUND
    code = "partner_not_found"
    remedy = "Check the id; list partners with GET /v1/partners."


class NotASandbox(Refusal):
    """The partner is no sandbox: its time is real."""

    kind = Kind.CONFLICT
    code = "not_a_sandbox"
    remedy = "Register a partner with `sandbox: true` to play with; a real one never becomes a sandbox."
    rule = "BEY-11"


class ClockInMotion(Refusal):
    """The clock is being moved on already."""

    kind = Kind.CONFLICT
    code = "clock_in_motion"
    remedy = "Wait for the job that `job_id` names, GET /v1/jobs/customers/{job_id}, or cancel it."
    rule = "BEY-11"


class ClockOnlyForward(Refusal):
    """The clock only moves forward."""

    kind = Kind.INVALID
    code = "clock_only_forward"
    remedy = "Name an instant that is still to come, by the partner's own clock: GET /v1/partners/{partner_id}/clock."
    rule = "BEY-11"


class ClockTooFar(Refusal):
    """One advance goes ten years at most."""

    kind = Kind.INVALID
    code = "clock_too_far"
    remedy = "Go less far; when it has ended, go on from there."
    rule = "BEY-11"


class ParentNotFound(Refusal):
    """The parent is no active partner."""

    kind = Kind.INVALID
    code = "parent_not_found"
    remedy = "Name an active partner as parent_id, or leave it out."


class UserNotFound(Refusal):
    """There is no such user."""

    kind = Kind.NOT_FOUND
    code = "user_not_found"
    remedy = "Check the id; list users with GET /v1/users."


class UserDisabled(Refusal):
    """The user is disabled."""

    kind = Kind.CONFLICT
    code = "user_disabled"
    remedy = "Add another user with POST /v1/users; this one does not sign in any more."


class PasswordSet(Refusal):
    """The user has set its password already."""

    kind = Kind.CONFLICT
    code = "password_set"
    remedy = "The user signs in with its password; it needs no link."
    rule = "NOT-12"


class CustomerNotServed(Refusal):
    """The customer is not active."""

    kind = Kind.CONFLICT
    code = "customer_not_active"
    remedy = "Look at its status with GET /v1/customers/{customer_id}."
    rule = "CUS-25"


class NotTemporary(Refusal):
    """The first admin's address is no temporary one."""

    kind = Kind.CONFLICT
    code = "not_temporary"
    remedy = "Only an address that was given as temporary at the customer's creation is replaced, once."
    rule = "CUS-24"


class RoleNotFound(Refusal):
    """A role does not exist."""

    kind = Kind.INVALID
    code = "role_not_found"
    remedy = "Name roles that GET /v1/roles lists."


class PasswordRefused(Refusal):
    """The password is not acceptable."""

    kind = Kind.INVALID
    code = "password_refused"
    remedy = "Choose at least 15 characters (8 beside a second factor) that are not common and not made of names; a few words do well."


class CredentialsWrong(Refusal):
    """E-mail address or password is wrong."""

    kind = Kind.UNAUTHENTICATED
    code = "credentials_wrong"
    remedy = "Check both; who has set no password yet does so by the link of the mail."


class SignInRefused(Refusal):
    """Signing in is not possible at the moment."""

    kind = Kind.FORBIDDEN
    code = "sign_in_refused"
    remedy = "Ask the partner or the operator who manages this account."


class SignInByPartnerOnly(Refusal):
    """Your partner manages this account for you, so you cannot sign in."""

    kind = Kind.FORBIDDEN
    code = "partner_managed"
    remedy = "Ask your partner for what you need; it runs this account."
    rule = "CUS-52"


class SessionEnded(Refusal):
    """The session has ended."""

    kind = Kind.UNAUTHENTICATED
    code = "session_ended"
    remedy = "Sign in again."


class LinkInvalid(Refusal):
    """The link is not valid, or not any more."""

    kind = Kind.INVALID
    code = "link_invalid"
    remedy = "Ask whoever invited you for a new one: your partner, or a Partner Administrator."


class SignInBusy(Refusal):
    """Too many sign-ins are being checked."""

    kind = Kind.UNAVAILABLE
    code = "sign_in_busy"
    remedy = "Try again in a moment."
