"""Every reason why licensing refuses."""

from chassis.errors import Kind, Refusal


class OfferUnknown(Refusal):
    """There is no such offer."""

    kind = Kind.INVALID
    code = "unknown_offer"
    remedy = "Choose an offer from GET /v1/offers."
    rule = "LIC-03"
    policy_version = "0"


class OfferWithdrawn(Refusal):
    """The offer is no longer sold."""

    kind = Kind.CONFLICT
    code = "offer_withdrawn"
    remedy = "Choose an offer from GET /v1/offers that is on sale."
    rule = "MKT-12"


class NoTrialOfOffer(Refusal):
    """The offer cannot be tried."""

    kind = Kind.CONFLICT
    code = "no_trial"
    remedy = "Choose an offer with a trial, or ask for this one as `paid`."
    rule = "C-1"


class NoPriceOfOffer(Refusal):
    """The offer has no price."""

    kind = Kind.CONFLICT
    code = "no_price"
    remedy = "Choose an offer with a price, or ask your distributor."
    rule = "LIC-03"


class QuantityRequired(Refusal):
    """The order does not say how many seats."""

    kind = Kind.INVALID
    code = "quantity_required"
    remedy = "Order a quantity between 1 and 1,000,000."
    rule = "LIC-03"


class SeatCapExceeded(Refusal):
    """A trial of this offer has fewer seats."""

    kind = Kind.CONFLICT
    code = "seat_cap_exceeded"
    remedy = "Order at most the seats that the trial policy allows, or ask for the product as `paid`."
    rule = "LIC-01"


class TooManyTrials(Refusal):
    """The customer has had its trials of this product."""

    kind = Kind.CONFLICT
    code = "trial_used_up"
    remedy = "Convert a trial of the product that runs or is paused: POST /v1/subscriptions/{id}/convert."
    rule = "C-1"


class CapabilityMissing(Refusal):
    """Your programme does not grant this."""

    kind = Kind.FORBIDDEN
    code = "no_programme"
    remedy = "Activate a service provider programme: POST /v1/programmes, then its activate verb."


class SerialRequired(Refusal):
    """A product is activated with a serial number."""

    kind = Kind.CONFLICT
    code = "serial_required"
    remedy = "Activate a programme, or name a product serial number."
    rule = "LIC-10"


class SerialUnknown(Refusal):
    """The serial number is not known."""

    kind = Kind.INVALID
    code = "unknown_serial"
    remedy = "Check the serial number as it was given to you."
    rule = "LIC-07"


class SerialTaken(Refusal):
    """The serial number is in use."""

    kind = Kind.CONFLICT
    code = "serial_taken"
    remedy = "Use a serial number of your own, or ask your distributor."
    rule = "LIC-07"


class SerialOfOtherKind(Refusal):
    """The serial number is of another kind."""

    kind = Kind.INVALID
    code = "serial_of_other_kind"
    remedy = "Programmes take a programme's serial number, products that of the product."
    rule = "LIC-10"


class ProgrammeNotFound(Refusal):
    """There is no such programme."""

    kind = Kind.NOT_FOUND
    code = "programme_not_found"
    remedy = "Validate a serial number first: POST /v1/programmes."
    rule = "LIC-07"


class ProgrammeRunning(Refusal):
    """You are in a programme of this kind already."""

    kind = Kind.CONFLICT
    code = "programme_running"
    remedy = "Nothing more is to be activated; it is done once."
    rule = "LIC-07"


class ProgrammeNotActive(Refusal):
    """The programme is not in the state for this."""

    kind = Kind.CONFLICT
    code = "programme_not_active"
    remedy = "Read the programme; an ended one stays ended, validate another serial number."
    rule = "LIC-07"


class SubscriptionNotFound(Refusal):
    """There is no such subscription."""

    kind = Kind.NOT_FOUND
    code = "subscription_not_found"
    remedy = "Check the id; list subscriptions with GET /v1/subscriptions."


class NotATrial(Refusal):
    """The subscription is not a trial."""

    kind = Kind.CONFLICT
    code = "not_a_trial"
    remedy = "Only a running or paused trial can be converted; read the subscription."
    rule = "LIC-11"


class CustomerMoving(Refusal):
    """The customer is being moved to another partner."""

    kind = Kind.CONFLICT
    code = "customer_moving"
    remedy = "Wait until the move has ended, see GET /v1/customers/{customer_id}/move, and ask again."
    rule = "MKT-02"


class CustomerNotServed(Refusal):
    """The customer cannot be given anything now."""

    kind = Kind.CONFLICT
    code = "customer_not_active"
    remedy = "Wait until the customer is active; read GET /v1/customers/{id}."
    rule = "CUS-13"


class SeatsInUse(Refusal):
    """More seats are in use."""

    kind = Kind.CONFLICT
    code = "seats_in_use"
    remedy = "Take at least as many seats as are in use."
    rule = "LIC-14"


class PreviewOutdated(Refusal):
    """What was shown is no longer what would happen."""

    kind = Kind.CONFLICT
    code = "preview_outdated"
    remedy = "Ask for a new preview and confirm that one."
    rule = "BEY-05"
