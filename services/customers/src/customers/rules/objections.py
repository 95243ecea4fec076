"""Objections: everything that is wrong with a body, collected, then refused at once.

Where all of them are of one kind the refusal is of that kind (409 for a company that exists);
otherwise it is 422, and the codes in ``errors`` tell them apart.
"""

from chassis.errors import FieldError, Refusal
from customers.errors import NotAcceptable


class Objections:
    """What was found so far, in the order of finding."""

    def __init__(self) -> None:
        self._found: list[tuple[type[Refusal], FieldError]] = []

    def add(self, pointer: str, code: str, detail: str, *, kind: type[Refusal] = NotAcceptable) -> None:
        self._found.append((kind, FieldError(pointer=pointer, code=code, detail=detail)))

    def against(self, kind: type[Refusal], pointer: str) -> None:
        """What a refusal of a kind of its own says, about one field."""
        self.add(pointer, kind.code, kind("").title, kind=kind)

    def refuse(self) -> None:
        """Go on only if there is no objection.

        Raises:
            Refusal: with every objection in ``errors``.
        """
        if not self._found:
            return
        kinds = {kind for kind, _ in self._found}
        kind = kinds.pop() if len(kinds) == 1 else NotAcceptable
        errors = [error for _, error in self._found]
        raise kind(" ".join(error.detail for error in errors[:3]), errors=errors)
