"""Why customers refuses to let a customer go, or to take it back."""

from chassis.errors import Kind, Refusal


class NotDisabled(Refusal):
    """The customer is not disabled."""

    kind = Kind.CONFLICT
    code = "customer_not_disabled"
    remedy = "Only a disabled customer is enabled; look at its status with GET /v1/customers/{customer_id}."
    rule = "C-2"


class RejectedInReview(Refusal):
    """A review has rejected the customer."""

    kind = Kind.CONFLICT
    code = "rejected_in_review"
    remedy = "Its `rejected_for` says why; ask the operator, who alone takes that back."
    rule = "CUS-13"


class StaysHere(Refusal):
    """The customer cannot leave."""

    kind = Kind.CONFLICT
    code = "customer_stays"
    remedy = "Only an active or disabled customer is unlinked; what is played with in a sandbox stays there."
    rule = "CUS-60"


class NoPlaceToMove(Refusal):
    """The customer cannot be moved to this partner."""

    kind = Kind.CONFLICT
    code = "no_place_to_move"
    remedy = "Choose another active partner, at or below your own, that has not shut you out; what is a sandbox's stays there."
    rule = "MKT-02"


class CustomerMoving(Refusal):
    """The customer is being moved to another partner."""

    kind = Kind.CONFLICT
    code = "customer_moving"
    remedy = "Wait until the move has ended, see GET /v1/customers/{customer_id}/move, or cancel its job, and ask again."
    rule = "MKT-02"


class MoveNotFound(Refusal):
    """The customer was never to be moved."""

    kind = Kind.NOT_FOUND
    code = "move_not_found"
    remedy = "Check the id; a move begins with POST /v1/customers/{customer_id}/move."


class NotReleased(Refusal):
    """Not all services have answered in time."""

    kind = Kind.CONFLICT
    code = "not_released"
    remedy = "Nothing has changed; have the operator look at the services that are silent, and move the customer then."
    rule = "MKT-02"


class NotDeletable(Refusal):
    """The customer cannot be deleted as it is."""

    kind = Kind.CONFLICT
    code = "not_deletable"
    remedy = "A review is decided first; what is being deleted already goes on, see GET /v1/customers/{customer_id}/deletion."
    rule = "C-2"


class ProductsInTheWay(Refusal):
    """The customer has products."""

    kind = Kind.CONFLICT
    code = "products_in_the_way"
    remedy = "Cancel what `products` names, wait until it is over, and delete the customer then."
    rule = "CUS-62"


class NotRecoverable(Refusal):
    """The customer cannot be restored."""

    kind = Kind.CONFLICT
    code = "not_recoverable"
    remedy = "Only a deleted customer is restored, and only until its `recoverable_until`; then nothing of it comes back."
    rule = "CUS-63"


class DeletionNotFound(Refusal):
    """The customer was never to be deleted."""

    kind = Kind.NOT_FOUND
    code = "deletion_not_found"
    remedy = "Check the id; a deletion begins with POST /v1/customers/{customer_id}/delete."


class StageNotFound(Refusal):
    """There is no such stage."""

    kind = Kind.NOT_FOUND
    code = "stage_not_found"
    remedy = "List the customer's stages with GET /v1/customers/{customer_id}/stages."


class StageOver(Refusal):
    """The stage is over."""

    kind = Kind.CONFLICT
    code = "stage_over"
    remedy = "Only a stage that has not happened yet is changed or stopped; plan another."
    rule = "MKT-19"


class StagePlanned(Refusal):
    """The stage is planned already."""

    kind = Kind.CONFLICT
    code = "stage_planned"
    remedy = "Change or stop the one that GET /v1/customers/{customer_id}/stages lists."
    rule = "MKT-19"
