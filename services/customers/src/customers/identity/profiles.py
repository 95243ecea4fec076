"""Profiles: what users say of themselves, and who manages users says of them (CUS-77, CUS-78, CUS-92).

A user is reached by its contacts, of which exactly one is the primary one as long as there are any; with
none it is by its login address.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, column, select, table

from chassis.database import Transaction
from contracts.customers.users import UserUpdated
from customers.errors.identity import ContactNotFound, TooManyContacts
from customers.rules import phones
from customers.rules.objections import Objections
from customers.rules.telling import tell_user
from customers.tables.partners import partners
from customers.tables.users import User

MOST: Final = 10
_SEEN_BY_CUSTOMERS: Final = table("partners_portal", column("partner_id", Uuid), column("language", Text))
"""What a customer's user sees of its partner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is to be changed: None leaves it; ``partners_language`` is for whoever wants none of its own."""

    name: str | None = None
    language: str | None = None
    partners_language: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedContact:
    """``type`` is ``email`` or ``sms``, ``value`` an address or a number with its country's code."""

    type: str
    value: str
    primary: bool


async def edit(tx: Transaction, user: User, profile: Profile) -> None:
    """Change a user's name or language. What it is already is told to nobody."""
    wanted = {"name": profile.name or user.name, "language": profile.language or user.language}
    if profile.partners_language:
        seen = _SEEN_BY_CUSTOMERS if tx.principal and tx.principal.kind == "customer" else partners
        wanted["language"] = (await tx.session.scalars(select(seen.c.language).where(seen.c.partner_id == tx.partner_id))).one()
    changed = sorted(name for name, value in wanted.items() if getattr(user, name) != value)
    for name in changed:
        setattr(user, name, wanted[name])
    await _tell(tx, user, changed)


async def add_contact(tx: Transaction, user: User, wanted: WantedContact) -> UUID:
    """Add a way to reach a user; the first one is the primary one.

    Raises:
        NotAcceptable: it is no number, or is there already.
        TooManyContacts: there are as many as there may be.
    """
    contact_id = tx.new_id()
    contacts = [*user.contacts, _checked(user, wanted, contact_id)]
    if len(contacts) > MOST:
        raise TooManyContacts(most=MOST)
    await _put(tx, user, contacts, first=contact_id if wanted.primary else None)
    return contact_id


async def edit_contact(tx: Transaction, user: User, contact_id: UUID, wanted: WantedContact) -> None:
    """Change a way to reach a user. The primary one stays so until another is.

    Raises:
        ContactNotFound: there is none.
        NotAcceptable: it is no number, is there already, or would leave none primary.
    """
    before = _found(user, contact_id)
    if before["primary"] and not wanted.primary:
        objections = Objections()
        objections.add("/primary", "primary_needed", "One always is.", rule="CUS-78", remedy="Make another one primary instead.")
        objections.refuse()
    said = _checked(user, wanted, contact_id)
    contacts = [said if one["id"] == str(contact_id) else one for one in user.contacts]
    await _put(tx, user, contacts, first=contact_id if wanted.primary else None)


async def remove_contact(tx: Transaction, user: User, contact_id: UUID) -> None:
    """Remove a way to reach a user; where it was the primary one, the oldest that is left is.

    Raises:
        ContactNotFound: there is none.
    """
    _found(user, contact_id)
    await _put(tx, user, [one for one in user.contacts if one["id"] != str(contact_id)], first=None)


def _found(user: User, contact_id: UUID) -> dict[str, Any]:
    for one in user.contacts:
        if one["id"] == str(contact_id):
            return dict(one)
    raise ContactNotFound


def _checked(user: User, wanted: WantedContact, contact_id: UUID) -> dict[str, Any]:
    objections = Objections()
    value = phones.mobile(wanted.value) if wanted.type == "sms" else wanted.value
    if value is None:
        objections.add("/value", "phone", "Not a phone number with its country's code.", remedy="Write it as +4940123456.")
    said = {"id": str(contact_id), "type": wanted.type, "value": value, "primary": False}
    key = (wanted.type, str(value).lower())
    if any((one["type"], str(one["value"]).lower()) == key for one in user.contacts if one["id"] != str(contact_id)):
        objections.add("/value", "contact_exists", "It is there already.", rule="CUS-78", remedy="Change the one that is there.")
    objections.refuse()
    return said


async def _put(tx: Transaction, user: User, contacts: list[dict[str, Any]], *, first: UUID | None) -> None:
    """With the primary one being ``first``, else the one that was, else the oldest."""
    was = next((one["id"] for one in user.contacts if one["primary"]), None)
    left = [one["id"] for one in contacts]
    primary = str(first) if first else was if was in left else next(iter(left), None)
    user.contacts = [one | {"primary": one["id"] == primary} for one in contacts]
    await _tell(tx, user, ["contacts"])


async def _tell(tx: Transaction, user: User, fields: list[str]) -> None:
    if fields:
        user.updated_at = tx.now
        await tx.session.flush()
        tell_user(tx, user, UserUpdated(fields=fields))
