"""Which constraint the database saw broken, so that a lost race becomes a refusal with a reason."""

from sqlalchemy.exc import IntegrityError


def broken(error: IntegrityError) -> str | None:
    """The constraint's name."""
    for one in (error.orig, getattr(error.orig, "__cause__", None)):
        name = getattr(one, "constraint_name", None)
        if name is not None:
            return str(name)
    return None
