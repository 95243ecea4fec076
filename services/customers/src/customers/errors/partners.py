"""Why customers refuse something about a partner."""

from chassis.errors import Kind, Refusal


class FieldShut(Refusal):
    """You may not change this about the partner."""

    kind = Kind.FORBIDDEN
    code = "not_editable"
    remedy = "Leave it as it is; ask the partner above, or the operator, who may change it."
    rule = "CUS-73"


class TreeTooDeep(Refusal):
    """Nobody is registered that far below the root party."""

    kind = Kind.CONFLICT
    code = "tree_too_deep"
    remedy = "Register it under a partner further up; the operator decides how deep the tree may be."
    rule = "C-9"


class NotBelow(Refusal):
    """A partner does not do this to itself, and nobody to the root party."""

    kind = Kind.FORBIDDEN
    code = "not_below"
    remedy = "Ask a partner above, or the operator."
    rule = "CUS-70"


class PartnerAtRest(Refusal):
    """The partner is disabled already."""

    kind = Kind.CONFLICT
    code = "partner_disabled"
    remedy = "Enable it with POST /v1/partners/{partner_id}/enable if it should work again."
    rule = "CUS-70"


class PartnerActive(Refusal):
    """The partner is not disabled."""

    kind = Kind.CONFLICT
    code = "partner_active"
    remedy = "Look at its status with GET /v1/partners/{partner_id}."
    rule = "CUS-70"


class DisabledFurtherUp(Refusal):
    """Somebody further up has disabled it."""

    kind = Kind.FORBIDDEN
    code = "disabled_further_up"
    remedy = "Ask the operator, or whoever disabled it."
    rule = "CUS-70"


class OwnHandsOnly(Refusal):
    """Only the partner itself opens and closes its door to those above."""

    kind = Kind.FORBIDDEN
    code = "own_hands_only"
    remedy = "Sign in as a user of the partner itself, and leave Partnerdeck-Acting-As out."
    rule = "MKT-05"
