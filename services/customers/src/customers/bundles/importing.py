"""Importing: a customer that was exported elsewhere becomes a partner's here, ids, versions and ledger as they were (BEY-15).

It is done whole or not at all. Nothing happened to the customer, so no fact is told: its state and its
users' states are, from which everybody learns of it. What is still open (a question, a stage, a
session) ends here when its time has come.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from chassis import due
from chassis.audit.chain import GENESIS, linked
from chassis.bundles.archive import Bundle
from chassis.bundles.errors import BundleInvalid, BundleNotWhole, BundleTaken
from chassis.bundles.nouns import put, refused, taken
from chassis.bundles.portable import here
from chassis.database import Transaction
from chassis.errors import FieldError
from chassis.http.etags import Seen
from customers.bundles.content import (
    CONSENTS,
    CUSTOMER,
    ENTRIES,
    KEPT,
    SESSIONS,
    STAGES,
    USERS,
    ConsentRow,
    CustomerRow,
    EntryRow,
    SessionRow,
    StageRow,
    UserRow,
)
from customers.errors.bundles import NoPlaceForBundle
from customers.rules import consenting, console_sessions
from customers.rules.constraints import broken
from customers.rules.going import STAGE
from customers.rules.holding import hold_partner
from customers.rules.ledger import SAID
from customers.rules.names import search_key
from customers.rules.rehoming import company_key_with
from customers.rules.telling import tell_state, tell_user
from customers.tables.consents import ConsentHead
from customers.tables.customers import Customer
from customers.tables.users import User

_LIVING: Final = Customer.status.not_in(("deleted", "purged", "rejected"))
_ACROSS: Final = {"across_partners": "an id or an address is one customer's in the whole installation"}


async def take_in(tx: Transaction, bundle: Bundle) -> bool:
    """Make the customer of a bundle one of this partner's; whether it was not already, exactly so.

    For workers: what is taken is looked for with every partner.

    Raises:
        NoPlaceForBundle: the partner is disabled, or a sandbox.
        BundleNotWhole: something was left out of it.
        BundleInvalid: its ledger does not hold together.
        BundleTaken: an id, its company or an address is here already; all of them are said.
    """
    partner = await hold_partner(tx, Seen(None))
    if partner.status != "active" or tx.sandbox:
        raise NoPlaceForBundle
    (customer,) = _customer(bundle)
    if not bundle.manifest.whole:
        raise BundleNotWhole
    _hold_together(customer.id, cast("list[EntryRow]", bundle.rows[ENTRIES.file]))
    found = [one async for one in _taken(tx, bundle, customer)]
    if found:
        if await here(tx, KEPT, bundle):
            return False
        raise refused(found)
    try:
        await _write(tx, bundle, customer)
    except IntegrityError as lost:
        raise BundleTaken(f"{broken(lost)} does not allow it") from lost
    await _plan(tx, bundle)
    await _tell(tx, customer.id)
    return True


def _customer(bundle: Bundle) -> list[CustomerRow]:
    found = cast("list[CustomerRow]", bundle.rows[CUSTOMER.file])
    if [one.id for one in found] != [bundle.manifest.customer_id]:
        raise BundleInvalid("it is of one customer, which the manifest names")
    return found


def _hold_together(customer_id: UUID, entries: list[EntryRow]) -> None:
    """The chain is computed again, as ``consents verify`` will."""
    last = GENESIS
    for number, entry in enumerate(entries, start=1):
        said = [customer_id if name == "customer_id" else getattr(entry, name) for name in SAID]
        last = linked(last, number, said)
        if (entry.number, entry.hash) != (number, last.hex()):
            raise BundleInvalid(f"entry {number} of the ledger is missing, or was changed")


async def _taken(tx: Transaction, bundle: Bundle, customer: CustomerRow) -> AsyncIterator[FieldError]:
    """Everything that is here already."""
    for noun in KEPT:
        async for one in taken(tx, noun, bundle.rows[noun.file]):
            yield one
    same = (Customer.company_key == _key(tx, customer), Customer.country == customer.company.country)
    if customer.status != "rejected" and await tx.session.scalar(
        select(Customer.id).where(Customer.partner_id == tx.partner_id, *same, _LIVING)
    ):
        yield BundleTaken.at(f"/{CUSTOMER.file}/0/company", "the partner has this company already")
    for pointer, email in _addresses(bundle, customer):
        if await _in_use(tx, email):
            yield BundleTaken.at(pointer, "this address is taken")


def _addresses(bundle: Bundle, customer: CustomerRow) -> Iterator[tuple[str, str]]:
    yield f"/{CUSTOMER.file}/0/contact/email", customer.contact.email.lower()
    for number, user in enumerate(cast("list[UserRow]", bundle.rows[USERS.file])):
        if user.email is not None:
            yield f"/{USERS.file}/{number}/email", user.email.lower()


async def _in_use(tx: Transaction, email: str) -> bool:
    users = select(User.id).where(func.lower(User.email) == email)
    kept = select(Customer.id).where(func.lower(Customer.contact["email"].astext) == email, _LIVING)
    return bool(await tx.session.scalar(select(or_(users.exists(), kept.exists())), execution_options=_ACROSS))


def _key(tx: Transaction, customer: CustomerRow) -> str:
    return company_key_with(tx.partner_id, customer.company.name, customer.id)


async def _write(tx: Transaction, bundle: Bundle, customer: CustomerRow) -> None:
    derived = {
        "name": customer.company.name,
        "name_key": search_key(customer.company.name),
        "company_key": _key(tx, customer),
        "country": customer.company.country,
        "welcome_link_id": None,
    }
    for noun in KEPT:
        more: dict[str, Any] = derived if noun is CUSTOMER else {noun.customer: customer.id}
        if noun in {USERS, SESSIONS}:
            more["data_region"] = customer.data_region
        await put(tx, noun, bundle.rows[noun.file], **more)
    entries = cast("list[EntryRow]", bundle.rows[ENTRIES.file])
    if entries:
        head = {"number": entries[-1].number, "hash": bytes.fromhex(entries[-1].hash)}
        await tx.session.execute(insert(ConsentHead).values(partner_id=tx.partner_id, id=customer.id, **head))


async def _plan(tx: Transaction, bundle: Bundle) -> None:
    """What will be done when its time has come, which was planned where the customer was."""
    customer_id = str(bundle.manifest.customer_id)
    for consent in cast("list[ConsentRow]", bundle.rows[CONSENTS.file]):
        if consent.state in {"requested", "granted"} and consent.expires_at is not None:
            await due.plan(tx, consenting.EXPIRE, consent.id, slot=consent.state, at=consent.expires_at)
    for stage in cast("list[StageRow]", bundle.rows[STAGES.file]):
        if stage.status in {"planned", "held"}:
            await due.plan(tx, STAGE, stage.id, slot="stage", at=max(stage.at, tx.now), payload={"customer_id": customer_id})
    for session in cast("list[SessionRow]", bundle.rows[SESSIONS.file]):
        if session.ended_at is None:
            await due.plan(tx, console_sessions.EXPIRE, session.id, slot="end", at=session.expires_at)


async def _tell(tx: Transaction, customer_id: UUID) -> None:
    customer = (await tx.session.scalars(select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id))).one()
    tell_state(tx, customer)
    mine = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer_id).order_by(User.id)
    for user in await tx.session.scalars(mine):
        tell_user(tx, user)
