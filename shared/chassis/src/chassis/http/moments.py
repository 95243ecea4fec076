"""Moments that are asked about: ``as_of`` of a reading, by the partner's own clock (BEY-12)."""

from datetime import datetime

from pydantic import AwareDatetime

from chassis.errors import Kind, Refusal
from chassis.http.lists import Asked


class NotYet(Refusal):
    """That moment is still to come."""

    kind = Kind.INVALID
    code = "not_yet"
    remedy = "Ask for a moment in the past, by the partner's own clock, or leave `as_of` out."
    rule = "BEY-12"


class AsOfQuery(Asked):
    """`as_of` is a moment in the past, by the partner's own clock; left out, it is now."""

    as_of: AwareDatetime | None = None


def admit(as_of: datetime | None, now: datetime) -> None:
    """Go on only with what has been.

    Raises:
        NotYet: the moment is still to come.
    """
    if as_of is not None and as_of > now:
        raise NotYet
