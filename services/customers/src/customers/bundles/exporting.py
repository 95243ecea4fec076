"""Exporting: a customer and what is kept of it, as a bundle (BEY-15).

The operator's, made by a worker, is whole. A partner's has what that partner is shown: what another one has
asked of the customer is left out, and the audit, which is read by a permission of its own. What other services
keep is asked of them in the caller's name, before any of it is signed.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from joserfc.jwk import OKPKey
from sqlalchemy import ARRAY, DateTime, Text, Uuid, column, or_, select, table

from chassis.bundles import archive
from chassis.bundles.archive import File
from chassis.bundles.nouns import Noun, lines, rows_of
from chassis.database import Transaction, Work
from chassis.database.audit import Subject
from chassis.http.etags import Seen
from chassis.principal import Principal
from contracts.records import Part
from contracts.root import ROOT_PARTNER_ID
from customers.bundles.content import AUDIT, CONSENTS, ENTRIES, KEPT, AuditRow
from customers.errors import CustomerNotFound
from customers.errors.bundles import NotPortable
from customers.rules.actions import PRESENT
from customers.rules.bundle_parts import Parts
from customers.rules.holding import hold
from customers.tables.customers import Customer
from customers.tables.users import User

PORTABLE: Final = PRESENT | {"rejected"}
_TYPES: Final[dict[Any, Any]] = {UUID: Uuid(), UUID | None: Uuid(), list[str]: ARRAY(Text), datetime: DateTime(timezone=True)}
_AUDIT: Final = table(
    "audit",
    *(column(name, Uuid()) for name in ("partner_id", "customer_id")),
    *(column(name, _TYPES.get(said.annotation, Text())) for name, said in AuditRow.model_fields.items()),
)


async def export(tx: Transaction, customer_id: UUID, key: OKPKey, parts: Parts) -> bytes:
    """What the caller's partner is shown of the customer. It is audited with the transaction, before anybody has a byte of it.

    Raises:
        CustomerNotFound: there is none.
        NotPortable: it is a sandbox's, or is going.
        PartMissing: a service that takes part does not answer.
    """
    if tx.principal is None:
        raise ValueError("nobody asks, so nobody is shown anything")
    asked = await parts.of(tx.principal, customer_id, tx.real_now)
    made = await _made(tx, customer_id, key, asked, whole=False)
    tx.note(Subject(type="customer", id=customer_id, customer_id=customer_id, after={"export": "bundle"}))
    return made


async def export_whole(work: Work, customer_id: UUID, key: OKPKey, parts: Parts) -> bytes:
    """All that is kept of the customer, whosever it is.

    Raises:
        CustomerNotFound: there is none.
        NotPortable: it is a sandbox's, or is going.
        PartMissing: a service that takes part does not answer.
    """
    whose = select(Customer.partner_id).where(Customer.id == customer_id)
    partner_id = await work.session.scalar(whose, execution_options={"across_partners": "the operator names a customer, not its partner"})
    if partner_id is None:
        raise CustomerNotFound
    async with work.item(partner_id) as tx:
        asked = await parts.of(await _operator(work, acting_as=partner_id), customer_id, tx.real_now) if parts.services else {}
        return await _made(tx, customer_id, key, asked, whole=True)


async def _operator(work: Work, *, acting_as: UUID) -> Principal:
    """In whose name an installation asks its own services: the first of its operators."""
    operators = select(User.id, User.gen).where(User.partner_id == ROOT_PARTNER_ID, User.kind == "operator", User.status == "active")
    first = (await work.session.execute(operators.order_by(User.id).limit(1))).one()
    named = None if acting_as == ROOT_PARTNER_ID else acting_as
    return Principal(kind="operator", user_id=first.id, partner_id=ROOT_PARTNER_ID, gen=first.gen, acting_as=named)


async def _made(tx: Transaction, customer_id: UUID, key: OKPKey, asked: dict[str, dict[str, File]], *, whole: bool) -> bytes:
    customer = await hold(tx, customer_id, Seen(None))
    if tx.sandbox or customer.status not in PORTABLE:
        raise NotPortable
    rows = {noun: await rows_of(tx, noun, customer_id) for noun in KEPT}
    shown = {noun: found if whole else _shown(tx, noun, found) for noun, found in rows.items()}
    left_out = any(len(shown[noun]) < len(rows[noun]) for noun in KEPT)
    if whole:
        shown[AUDIT] = await _audit(tx, customer_id)
    files = {noun.file: File(lines(found), len(found)) for noun, found in shown.items()}
    for said in asked.values():
        files |= said
    return archive.pack(customer_id, files, key, services=["customers", *asked], whole=not left_out)


def _shown(tx: Transaction, noun: Noun, rows: list[Part]) -> list[Part]:
    if noun not in (CONSENTS, ENTRIES):
        return rows
    return [one for one in rows if one.kind != "import" or one.asked_by_partner_id == tx.partner_id]  # type: ignore[attr-defined]  # of consents


async def _audit(tx: Transaction, customer_id: UUID) -> list[Part]:
    said = _AUDIT.c
    about = or_(said.customer_id == customer_id, said.subject_id == customer_id)
    found = select(*(said[name] for name in AuditRow.model_fields)).where(said.partner_id == tx.partner_id, about).order_by(said.id)
    return [AuditRow.model_validate(dict(row)) for row in (await tx.session.execute(found)).mappings()]
