"""Steps of the creation of a customer, and to which of them each member of its body belongs (CUS-20, C-11)."""

from dataclasses import dataclass
from typing import Final, Literal

from chassis.errors import FieldError
from customers.rules.particulars import Finding

type Step = Literal["products", "details", "domain", "review"]

_OF: Final[dict[str, Step]] = {
    "products": "products",
    "domain": "domain",
    "first_admin": "domain",
    "send_welcome": "domain",
    "eula": "review",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something about one member, and the step of the creation in which it is filled in."""

    step: Step
    pointer: str
    code: str
    detail: str
    rule: str | None = None
    remedy: str | None = None


def step_of(pointer: str) -> Step:
    """Where a member is filled in: what is of no other step is one of the details."""
    return _OF.get(pointer.split("/")[1] if "/" in pointer else "", "details")


def problem(error: FieldError) -> Problem:
    pointer = error.pointer
    return Problem(step=step_of(pointer), pointer=pointer, code=error.code, detail=error.detail, rule=error.rule, remedy=error.remedy)


def warning(finding: Finding) -> Problem:
    remedy = "Write it as the company writes itself; what looks odd is looked at by a person first, which takes time."
    return Problem(
        step=step_of(finding.pointer),
        pointer=finding.pointer,
        code=finding.code,
        detail="This may lead to a manual review.",
        rule="CUS-14",
        remedy=remedy,
    )
