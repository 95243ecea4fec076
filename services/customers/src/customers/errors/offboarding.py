"""Why customers refuses to let a customer go, or to take it back."""

from chassis.errors import Kind, Refusal


class NotDisabled(Refusal):
    """The customer is not disabled."""

    kind = Kind.CONFLICT
    code = "customer_not_disabled"
    remedy = "Only a disabled customer is enabled; look at its status with GET /v1/customers/{customer_id}."
    rule = "C-2"
