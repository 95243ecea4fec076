"""Versions at the edge: ``ETag`` says which one was answered, ``If-Match`` which one is to be changed (RFC 9110, 13.1.1).

Only strong tags match, and a change of an existing resource must say what it has seen.
"""

import re
from dataclasses import dataclass
from typing import Final

from chassis.errors import Kind, Refusal

_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e]*)"\s*')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,18}|0")


class IfMatchRequired(Refusal):
    """A change of something that exists must say which version it has seen."""

    kind = Kind.UNCONDITIONAL
    code = "if_match_required"
    remedy = "Read it, and send its ETag as If-Match."


class Stale(Refusal):
    """It has changed since it was read."""

    kind = Kind.PRECONDITION
    code = "stale"
    remedy = "Read it again, decide again, and send the new ETag as If-Match."


class BadIfMatch(Refusal):
    """If-Match is no list of entity tags."""

    kind = Kind.MALFORMED
    code = "bad_if_match"
    remedy = 'Send the ETag as it was answered, with its quotes: If-Match: "3".'


@dataclass(frozen=True, slots=True)
class Seen:
    """The versions that a caller says it has seen; None is ``*``, any version."""

    versions: frozenset[int] | None

    def admit(self, version: int) -> None:
        """Go on only if the caller has seen the present version.

        Raises:
            Stale: it has not.
        """
        if self.versions is not None and version not in self.versions:
            raise Stale(version=version)


def etag(version: int) -> str:
    return f'"{version}"'


def seen(if_match: str | None) -> Seen:
    """Read an ``If-Match`` header.

    Raises:
        IfMatchRequired: there is none.
        BadIfMatch: it is malformed.
    """
    if if_match is None or not if_match.strip():
        raise IfMatchRequired
    if if_match.strip() == "*":
        return Seen(None)
    tags = [_TAG.fullmatch(part) for part in if_match.split(",")]
    versions = set[int]()
    for tag in tags:
        if tag is None:
            raise BadIfMatch
        weak, opaque = tag.groups()
        if not weak and _VERSION.fullmatch(opaque):
            versions.add(int(opaque))
    return Seen(frozenset(versions))
