"""Why a bundle is not taken in."""

from chassis.errors import Kind, Refusal


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


class BundleWithoutPart(Refusal):
    """The bundle has nothing that this service keeps."""

    kind = Kind.CONFLICT
    code = "bundle_without_part"
    remedy = "The manifest's `services` says whose parts it has: ask for it where all services take part."
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
