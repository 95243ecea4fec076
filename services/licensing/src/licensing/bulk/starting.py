"""Starting bulk jobs over customers that somebody selected (CUS-68, BEY-13).

What no customer's product could do is refused before anything begins. What overwrites settings is
confirmed before, for these very customers and settings, and so is what reaches far. A dry run changes nothing and needs no confirmation.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from chassis import jobs
from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import ConsequenceView, Effect
from chassis.jobs import JobKind, reach
from chassis.jobs.reach import BulkPolicy
from chassis.jobs.tables import Job
from licensing.bulk import deeds
from licensing.product_settings import assigning
from licensing.rules import policies, products
from licensing.tables.customers import served_customers

_RUN: Final = ("active", "disabled", "pending_review")
"""The statuses of customers that a partner runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who is meant. ``customers`` is their number as the sender repeats it, ``confirmation`` that of what was shown to it."""

    ids: Sequence[UUID]
    dry_run: bool = False
    customers: int | None = None
    confirmation: str | None = None


async def assign_template(tx: Transaction, selection: Selection, template_id: UUID) -> Job:
    """Begin to set a product of each of the customers by a template, as it is now.

    Raises:
        TemplateUnknown: the partner has none such.
        NotSupported: its product has no templates any more.
        Refusal: as ``_start``.
    """
    pattern = await assigning.choose(tx, template_id)
    product = await products.supporting(tx, pattern.product, "templates")
    says = f"customers' settings of {product.name} are replaced by those of the template {pattern.name}."
    return await _start(tx, deeds.TEMPLATE, selection, deeds.chosen(pattern), ("settings_replaced", says))


async def deploy_policy(tx: Transaction, selection: Selection, product_code: str, settings: dict[str, Any]) -> Job:
    """Begin to send a policy to a product of each of the customers.

    Raises:
        NotSupported: the product has no policies.
        Refusal: as ``_start``.
    """
    product = await products.supporting(tx, product_code, "policies")
    sections = ", ".join(sorted(settings)) or "nothing"
    says = f"customers' {product.name} is set to other policies: {sections}."
    params = {"product": product.code, "settings": settings}
    return await _start(tx, deeds.POLICY, selection, params, ("policies_replaced", says))


async def update_firmware(tx: Transaction, selection: Selection, product_code: str) -> Job:
    """Begin to tell those of the customers that require it to fetch an update.

    Raises:
        NotSupported: the product has no firmware.
        Refusal: as ``_start``.
    """
    product = await products.supporting(tx, product_code, "firmware")
    return await _start(tx, deeds.FIRMWARE, selection, {"product": product.code})


async def _start(tx: Transaction, kind: JobKind, selection: Selection, params: dict[str, Any], takes: tuple[str, str] | None = None) -> Job:
    """``takes`` is what it takes from customers, as a code and what is said of it behind their number.

    Raises:
        TooManyItems: one job does not take so many.
        TooFarReaching: the number must be confirmed by whoever sends so many.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    job = await jobs.start(tx, kind, selection.ids, params=params, dry_run=selection.dry_run)
    if selection.dry_run:
        return job
    row = served_customers.c
    everybody = select(func.count()).select_from(served_customers).where(row.partner_id == tx.partner_id, row.status.in_(_RUN))
    limits = await policies.in_force(tx, BulkPolicy)
    await reach.admit(limits, job.total, confirmed=selection.customers, count_all=lambda: tx.session.scalar(everybody))
    if takes is not None:
        code, says = takes
        consequence = ConsequenceView(code=code, detail=f"{job.total} {says}", irreversible=True)
        with_what = hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()
        among = f"{await jobs.digest(tx, job)} {with_what}"
        effect = Effect(verb=kind.name, of=tx.partner_id, version=job.total, consequences=[consequence], among=among)
        confirmations.require(selection.confirmation, effect)
    return job
