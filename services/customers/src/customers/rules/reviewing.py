"""Reviewing: how a customer comes to be held for a person to look at it (CUS-13, CUS-14).

There is one open review of a customer at most. What is found while it is open is added to it;
what it was held for is never taken out again, only decided about.
"""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select

from chassis.database import Transaction
from contracts.customers.customers import CustomerReviewOpened
from customers.rules.particulars import Finding
from customers.tables.customers import Customer, Review


async def hold_for(tx: Transaction, customer: Customer, findings: Sequence[Finding], *, new: bool = False) -> CustomerReviewOpened | None:
    """Hold a customer because of what was found; what is answered is to be told about it.

    An established customer goes back to the status that it has now, once it is cleared. A ``new`` one
    has none to go back to. Nothing found holds nobody.
    """
    if not findings:
        return None
    found = [asdict(finding) for finding in findings]
    review = None if new else await _open(tx, customer)
    if review is None:
        held_from = None if new else customer.status
        whose = {"partner_id": customer.partner_id, "customer_id": customer.id}
        tx.session.add(Review(**whose, id=tx.new_id(), status="open", findings=found, opened_at=tx.now, held_from=held_from))
        customer.status = "pending_review"
        customer.review_reasons = reasons(findings)
        asked_by = tx.principal.user_id if tx.principal else None
        return CustomerReviewOpened(reasons=customer.review_reasons, asked_by=asked_by)
    fresh = [one for one in found if one not in review.findings]
    if not fresh:
        return None
    review.findings = [*review.findings, *fresh]
    customer.review_reasons = sorted({*customer.review_reasons, *reasons(findings)})
    return None


def reasons(findings: Sequence[Finding]) -> list[str]:
    return sorted({finding.code for finding in findings})


async def _open(tx: Transaction, customer: Customer) -> Review | None:
    opened = select(Review).where(Review.partner_id == tx.partner_id, Review.customer_id == customer.id, Review.status == "open")
    return (await tx.session.scalars(opened.with_for_update())).one_or_none()
