"""Which customers a list, a total or an export is about: filters that are all off until they are set (CUS-33).

The condition in SQL is made of the filters that are set, so that each can use its index; their
values are parameters. Everybody who filters customers filters them here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, and_, any_, bindparam, cast, not_
from sqlalchemy.dialects.postgresql import JSONB

from chassis.names import search_key
from contracts.customers.customers import CustomerStatus, ManagementType
from reporting.rules import attention
from reporting.rules.attention_policy import AttentionPolicy, Severity
from reporting.rules.product_use import Kind

HIDDEN: Final = ("draft", "rejected", "deleted", "purged")
"""No customers yet, never any, or gone: no everyday work. A list still finds them when their status is asked for."""

_ESCAPED: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Given(NamedTuple):
    """Which filters are set: what the text of a condition depends on."""

    fragment: bool
    products: bool
    management_types: bool
    statuses: bool
    attention: bool | None
    alerts: bool
    require_update: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which customers are wanted; what is left out means all of them.

    ``product_types``, ``product`` and ``kind`` are met by one and the same subscription.
    ``statuses`` left out means all of everyday work. ``alerts`` is how much a reason for attention must weigh at least,
    ``require_update`` whether endpoints need the newest agent.
    """

    fragment: str | None = None
    management_types: Sequence[ManagementType] = ()
    product_types: Sequence[str] = ()
    product: str | None = None
    kind: Kind | None = None
    statuses: Sequence[CustomerStatus] = ()
    attention: bool | None = None
    alerts: Severity | None = None
    require_update: bool | None = None

    @property
    def given(self) -> Given:
        return Given(
            fragment=self.fragment is not None,
            products=bool(self.product_types or self.product or self.kind),
            management_types=bool(self.management_types),
            statuses=bool(self.statuses),
            attention=self.attention,
            alerts=self.alerts is not None,
            require_update=self.require_update,
        )

    def parameters(self, policy: AttentionPolicy, now: datetime) -> dict[str, Any]:
        """The values for ``conditions``."""
        return {
            "pattern": _containing(self.fragment or ""),
            "wanted": self._wanted(),
            "management_types": list(self.management_types),
            "statuses": list(self.statuses),
            **attention.parameters(policy, now),
            **attention.parameters(policy, now, least=self.alerts or "warning", named="alerts"),
        }

    def _wanted(self) -> list[str]:
        """What one of a customer's products must contain, as JSON: one for each product type asked for."""
        said = {"product": self.product, "kind": self.kind}
        rest = {name: value for name, value in said.items() if value is not None}
        types: list[dict[str, str]] = [{"product_type": one} for one in self.product_types] or [{}]
        return [msgspec.json.encode([one | rest]).decode() for one in types]


def everyday(r: FromClause) -> ColumnElement[bool]:
    """Customers of everyday work."""
    return and_(*(r.c.status != status for status in HIDDEN))


def conditions(r: FromClause, given: Given) -> list[ColumnElement[bool]]:
    """What the wanted rows of ``customer_overview`` fulfil."""
    needed = attention.needed(r)
    set_ones = [
        (given.fragment, r.c.name_key.like(bindparam("pattern"))),
        (given.products, r.c.products.op("@>")(any_(cast(bindparam("wanted", type_=ARRAY(Text)), ARRAY(JSONB))))),
        (given.management_types, r.c.management_type == any_(bindparam("management_types", type_=ARRAY(Text)))),
        (given.statuses, r.c.status == any_(bindparam("statuses", type_=ARRAY(Text)))),
        (not given.statuses, everyday(r)),
        (given.attention is True, needed),
        (given.attention is False, not_(needed)),
        (given.alerts, attention.needed(r, "alerts")),
        (given.require_update is True, r.c.agent_updates > 0),
        (given.require_update is False, r.c.agent_updates == 0),
    ]
    return [condition for is_set, condition in set_ones if is_set]


def _containing(fragment: str) -> str:
    """The ``LIKE`` pattern of names that contain a fragment; nothing in it is a wildcard."""
    return f"%{search_key(fragment).translate(_ESCAPED)}%"
