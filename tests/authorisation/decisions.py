"""The decisions as they are written down, and what an answer says about the decision that was made."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).with_name("decisions.yaml")
PRINCIPALS: Final = (
    *("operator", "operator_acting", "partner_admin", "administrator", "clerk", "reader", "nobody"),
    *("ancestor_acting", "ancestor", "stranger", "customer", "other_customer", "service", "anonymous"),
)


class Decision(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    HIDE = "hide"
    SIGN_IN = "sign_in"


_OF_STATUS: Final = {401: Decision.SIGN_IN, 403: Decision.DENY, 404: Decision.HIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``answers`` are statuses that mean nothing about access here; ``apart`` says why it is not asked."""

    method: str
    path: str
    rule: dict[str, Decision]
    body: dict[str, Any] | None
    ids: dict[str, str]
    answers: frozenset[int]
    apart: str | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def expected(self, principal: str) -> Decision:
        return self.rule.get(principal, self.rule["everybody"])

    def made(self, status: int) -> Decision:
        """The decision that an answer of this status shows. Whoever is refused for another reason was let in."""
        return Decision.ALLOW if status in self.answers else _OF_STATUS.get(status, Decision.ALLOW)


def decisions() -> dict[str, Operation]:
    """By ``METHOD path``.

    Raises:
        KeyError: an operation names a rule that is not there.
    """
    said = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    rules = {name: {who: Decision(what) for who, what in rule.items()} for name, rule in said["rules"].items()}
    found = [_operation(name, row, rules[row["rule"]]) for name, row in said["operations"].items()]
    return {one.name: one for one in found}


def _operation(name: str, row: dict[str, Any], rule: dict[str, Decision]) -> Operation:
    method, path = name.split()
    return Operation(
        method=method,
        path=path,
        rule=rule,
        body=row.get("body"),
        ids=row.get("ids", {}),
        answers=frozenset(row.get("answers", ())),
        apart=row.get("apart"),
    )
