"""The confirmation step: what cannot be taken back, or costs, is done only by who was told what it does (GW-14).

A verb that needs it is asked twice. The first time it answers 428 with its consequences and with the confirmation of
exactly these; the second time it is sent that confirmation, and is done if they are still the same. Nothing is kept
between the two: a confirmation is the hash of what was said, so another is needed as soon as something else would happen.

    effect = Effect(verb="unlink", of=customer.id, version=customer.version, consequences=await _losses(tx, customer))
    confirmations.require(command.confirmation, effect)
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec

from chassis.errors import Kind, Refusal
from chassis.http.text import Text
from chassis.http.views import View

type Confirmation = Annotated[str, Text(64)]
"""As a body takes it back."""


class ConfirmationNeeded(Refusal):
    """What this would do must be confirmed."""

    kind = Kind.UNCONDITIONAL
    code = "confirmation_needed"
    remedy = "Show `consequences` to whoever decides, and send it again with `confirmation` as this problem says it."
    rule = "GW-14"


class ConfirmationOutdated(ConfirmationNeeded):
    """Something else would happen now than was confirmed."""

    kind = Kind.PRECONDITION
    code = "confirmation_outdated"


class ConsequenceView(View, frozen=True, kw_only=True):
    """One thing that happens. ``code`` is stable, ``detail`` is for people; ``irreversible`` where nothing brings it back."""

    code: str
    detail: str
    irreversible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a verb would do to the entity as it is in this version; with many at once, ``among`` names these and no others."""

    verb: str
    of: UUID
    version: int
    consequences: Sequence[ConsequenceView]
    among: str = ""

    @property
    def confirmation(self) -> str:
        """Names exactly this effect: 32 hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]


class EffectView(View, frozen=True, kw_only=True):
    """What a verb would do, where it is asked beforehand. Nothing has changed yet."""

    verb: str
    version: int
    confirmation: str
    consequences: list[ConsequenceView]


def shown(effect: Effect) -> EffectView:
    """What a verb's ``/preview`` answers."""
    return EffectView(verb=effect.verb, version=effect.version, confirmation=effect.confirmation, consequences=list(effect.consequences))


def require(confirmation: str | None, effect: Effect) -> None:
    """Go on only with the confirmation of this effect.

    Raises:
        ConfirmationNeeded: none was sent.
        ConfirmationOutdated: it confirms something else.
    """
    if confirmation is None:
        raise _refused(ConfirmationNeeded, effect)
    if not hmac.compare_digest(confirmation.encode(), effect.confirmation.encode()):
        raise _refused(ConfirmationOutdated, effect)


def _refused(kind: type[ConfirmationNeeded], effect: Effect) -> ConfirmationNeeded:
    consequences = msgspec.to_builtins(list(effect.consequences))
    return kind(verb=effect.verb, confirmation=effect.confirmation, consequences=consequences)
