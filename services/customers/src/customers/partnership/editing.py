"""Editing: what a partner says of itself, and what only those above it change (CUS-69, CUS-73, CUS-74, C-6).

Its name and country a partner sees and does not change. Where its customers buy and get help stands
in every mail to them from then on (CUS-75).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.partners import PartnerUpdated, SupportInfo
from customers.errors.partners import FieldShut
from customers.rules import mutability, support
from customers.rules.holding import hold_partner
from customers.rules.names import search_key
from customers.rules.objections import Objections
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePartner:
    """What ``fields`` and ``support`` leave out stays; ``seen`` is the version that the caller has seen."""

    seen: Seen
    fields: Mapping[str, str]
    support: Mapping[str, str | None]


async def change(tx: Transaction, command: ChangePartner) -> Partner:
    """Change the partner whose transaction it is. What is as it was already is told to nobody.

    Raises:
        PartnerNotFound: there is none.
        FieldShut: the policy does not open a field to whoever asks.
        NotAcceptable: where it helps its customers cannot be reached.
    """
    partner = await hold_partner(tx, command.seen)
    wanted = _wanted(partner, command)
    changed = {name: value for name, value in wanted.items() if value != getattr(partner, name)}
    await _check(tx, partner, changed)
    if not changed:
        return partner
    for name, value in changed.items():
        setattr(partner, name, value)
    partner.name_key = search_key(partner.name)
    partner.updated_at = tx.now
    await tx.session.flush()
    tell_partner(tx, partner, PartnerUpdated(fields=sorted(changed)))
    return partner


def _wanted(partner: Partner, command: ChangePartner) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(command.fields)
    if command.support:
        said = SupportInfo.model_validate(partner.support).model_dump() | dict(command.support)
        wanted["support"] = support.checked(said, country=wanted.get("country", partner.country)).model_dump(mode="json")
    return wanted


async def _check(tx: Transaction, partner: Partner, changed: Mapping[str, Any]) -> None:
    opened = await mutability.of(tx, "partner")
    objections = Objections()
    for name, value in changed.items():
        members = [f"/support/{one}" for one in value if value[one] != partner.support.get(one)] if name == "support" else []
        for pointer in members or [_POINTERS.get(name, f"/{name}")]:
            if not opened.opens(pointer):
                objections.against(FieldShut, pointer, by=opened.by)
    objections.refuse()


_POINTERS = {"name": "/company_name"}
