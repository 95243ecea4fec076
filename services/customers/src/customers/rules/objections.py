"""Objections: everything that is wrong with a body, collected, then refused at once.

Where all of them are of one kind the refusal is of that kind (409 for a company that exists);
otherwise it is 422, and the codes in ``errors`` tell them apart. Each keeps its own rule and remedy.
"""

from dataclasses import dataclass
from typing import Any

from chassis.errors import FieldError, Refusal
from chassis.policies import InForce
from customers.errors import NotAcceptable


@dataclass(frozen=True, slots=True)
class _Objection:
    kind: type[Refusal]
    error: FieldError
    policy_version: str | None


class Objections:
    """What was found so far, in the order of finding."""

    def __init__(self) -> None:
        self._found: list[_Objection] = []

    def add(
        self,
        pointer: str,
        code: str,
        detail: str,
        *,
        rule: str | None = None,
        remedy: str | None = None,
        by: InForce[Any] | None = None,
    ) -> None:
        """What has no kind of refusal of its own. ``by`` is the policy that decided."""
        self._found.append(_Objection(NotAcceptable, FieldError(pointer, code, detail, rule=rule, remedy=remedy), _version(by)))

    def against(self, kind: type[Refusal], pointer: str, detail: str = "", *, by: InForce[Any] | None = None) -> None:
        """What a refusal of a kind of its own says, about one field."""
        self._found.append(_Objection(kind, kind.at(pointer, detail), _version(by)))

    @property
    def errors(self) -> tuple[FieldError, ...]:
        return tuple(one.error for one in self._found)

    def refuse(self) -> None:
        """Go on only if there is no objection.

        Raises:
            Refusal: with every objection in ``errors``.
        """
        if not self._found:
            return
        kinds = {one.kind for one in self._found}
        kind = kinds.pop() if len(kinds) == 1 else NotAcceptable
        errors = self.errors
        raise kind(
            " ".join(error.detail for error in errors[:3]),
            errors=errors,
            rule=_common({error.rule for error in errors}),
            remedy=_common({error.remedy for error in errors}),
            policy_version=_common({one.policy_version for one in self._found}),
        )


def _version(by: InForce[Any] | None) -> str | None:
    return str(by.version) if by else None


def _common(said: set[str | None]) -> str | None:
    """What all of them say."""
    return said.pop() if len(said) == 1 else None
