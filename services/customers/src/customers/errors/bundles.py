"""Why customers makes no bundle of a customer, or takes none in; what any service has against one is in ``chassis.bundles.errors``."""

from chassis.errors import Kind, Refusal


class NotPortable(Refusal):
    """The customer cannot be taken elsewhere as it is."""

    kind = Kind.CONFLICT
    code = "not_portable"
    remedy = "A customer that is being deleted, or is deleted, is restored first; what is played with in a sandbox stays there."
    rule = "BEY-15"


class PartMissing(Refusal):
    """A service that takes part does not say its part at the moment."""

    kind = Kind.UNAVAILABLE
    code = "bundle_part_missing"
    remedy = "Try again in a moment; a bundle is whole or is none. A job waits by itself."
    rule = "BEY-15"


class PartRefused(Refusal):
    """A service that takes part does not say its part to you."""

    kind = Kind.FORBIDDEN
    code = "bundle_part_refused"
    remedy = "Do what the reason asks for, or ask the operator for the bundle."
    rule = "BEY-15"


class BundlesNotReady(Refusal):
    """The job has not made all of its bundles."""

    kind = Kind.CONFLICT
    code = "bundles_not_ready"
    remedy = "Wait until the job is done, and look at its items for what was refused."
    rule = "BEY-15"


class BundlesGone(Refusal):
    """The job's file is not kept any more."""

    kind = Kind.NOT_FOUND
    code = "bundles_gone"
    remedy = "Start another: a file is kept for seven days, and of customers that were purged or have left nothing is."
    rule = "BEY-15"


class NoPlaceForBundle(Refusal):
    """The partner takes no customer in."""

    kind = Kind.CONFLICT
    code = "no_place_for_bundle"
    remedy = "Choose an active partner that is no sandbox."
    rule = "BEY-15"
