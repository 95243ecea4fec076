"""Editing: what a partner says of itself, and what only those above it change (CUS-69, CUS-73, CUS-74, C-6).

Its name, its country and where it is a partner sees and does not change. Where its customers buy and get help stands
in every mail to them from then on (CUS-75).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.partners import PartnerUpdated, SupportInfo
from customers.errors.partners import FieldShut
from customers.rules import addresses, mutability, support
from customers.rules.holding import hold_partner
from customers.rules.names import search_key
from customers.rules.objections import Objections
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePartner:
    """What ``fields``, ``support`` and ``address`` leave out stays; ``seen`` is the version that the caller has seen."""

    seen: Seen
    fields: Mapping[str, str]
    support: Mapping[str, str | None]
    address: Mapping[str, str | None]


async def change(tx: Transaction, command: ChangePartner) -> Partner:
    """Change the partner whose transaction it is. What is as it was already is told to nobody.

    Raises:
        PartnerNotFound: there is none.
        FieldShut: the policy does not open a field to whoever asks.
        NotAcceptable: where it is, or where it helps its customers, cannot be reached.
    """
    partner = await hold_partner(tx, command.seen)
    objections = Objections()
    wanted = _wanted(partner, command, objections)
    changed = {name: value for name, value in wanted.items() if value != getattr(partner, name)}
    await _check(tx, partner, changed, objections)
    if not changed:
        return partner
    for name, value in changed.items():
        setattr(partner, name, value)
    partner.name_key = search_key(partner.name)
    partner.updated_at = tx.now
    await tx.session.flush()
    tell_partner(tx, partner, PartnerUpdated(fields=sorted(changed)))
    return partner


def _wanted(partner: Partner, command: ChangePartner, objections: Objections) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(command.fields)
    country = wanted.get("country", partner.country)
    if command.support:
        said = SupportInfo.model_validate(partner.support).model_dump() | dict(command.support)
        wanted["support"] = support.kept(said, country, objections).model_dump(mode="json")
    if command.address:
        wanted["address"] = addresses.kept({**(partner.address or {}), **command.address}, country, objections)
    return wanted


async def _check(tx: Transaction, partner: Partner, changed: Mapping[str, Any], objections: Objections) -> None:
    opened = await mutability.of(tx, "partner")
    for pointer in (pointer for name, value in changed.items() for pointer in _pointers(name, value, getattr(partner, name))):
        if not opened.opens(pointer):
            objections.against(FieldShut, pointer, by=opened.by)
    objections.refuse()


def _pointers(name: str, value: Any, before: Any) -> list[str]:
    """Where in the body stands what is other than before."""
    if not isinstance(value, dict):
        return [_POINTERS.get(name, f"/{name}")]
    return [f"/{name}/{member}" for member, said in value.items() if said != (before or {}).get(member)]


_POINTERS: Final = {"name": "/company_name"}
