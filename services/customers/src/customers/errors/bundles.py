"""Why customers makes no bundle of a customer, or takes none in."""

from chassis.errors import Kind, Refusal


class NotPortable(Refusal):
    """The customer cannot be taken elsewhere as it is."""

    kind = Kind.CONFLICT
    code = "not_portable"
    remedy = "A customer that is being deleted, or is deleted, is restored first; what is played with in a sandbox stays there."
    rule = "BEY-15"


class BundleInvalid(Refusal):
    """The bundle is not what its manifest says."""

    kind = Kind.INVALID
    code = "bundle_invalid"
    remedy = "Ask for the bundle again; this one was changed, or is no bundle."
    rule = "BEY-15"


class BundleUnsigned(Refusal):
    """The bundle is not signed with a key that is known here."""

    kind = Kind.INVALID
    code = "bundle_unsigned"
    remedy = "Give the keys of the installation that made it: /.well-known/jwks.json there. If they are these, it was changed."
    rule = "BEY-15"


class BundleUnknown(Refusal):
    """The bundle has a format that is not read here."""

    kind = Kind.INVALID
    code = "bundle_unknown"
    remedy = "Import it into an installation of the version that made it, or a later one."
    rule = "BEY-15"


class BundleNotWhole(Refusal):
    """The bundle leaves out what its reader was not shown."""

    kind = Kind.CONFLICT
    code = "bundle_not_whole"
    remedy = "Ask the operator there for a whole one: python -m customers bundle export."
    rule = "BEY-15"


class BundleTaken(Refusal):
    """Something in the bundle is here already."""

    kind = Kind.CONFLICT
    code = "bundle_taken"
    remedy = "Nothing was imported; what `errors` name is here already, and stays."
    rule = "BEY-15"


class NoPlaceForBundle(Refusal):
    """The partner takes no customer in."""

    kind = Kind.CONFLICT
    code = "no_place_for_bundle"
    remedy = "Choose an active partner that is no sandbox."
    rule = "BEY-15"
