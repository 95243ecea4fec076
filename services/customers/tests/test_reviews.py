"""What a reviewer decides is final, told once, and about the version that was seen (CUS-13, CUS-14)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen, Stale
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged, CustomerReviewCleared, CustomerReviewRejected
from contracts.customers.users import UserUpdated
from customers import customers, reviews
from customers.errors import CustomerNotFound, NotInReview
from customers.reviews import ClearReview, RejectReview
from customers.tables.customers import Customer, Review
from customers.tables.users import User
from customers_testing.builders import DENIED, a_company, a_customer, a_partner, an_application

ANY = Seen(None)


async def held(tx: Transaction) -> Customer:
    await a_partner(tx)
    return await a_customer(tx, company=a_company(name=DENIED))


async def test_a_cleared_customer_is_active_and_its_link_begins_to_run(tx: Transaction) -> None:
    """CUS-13, CUS-25."""
    customer = await held(tx)

    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=Seen(frozenset({1}))))

    assert tx.facts_told == [CustomerReviewCleared, CredentialLinkRequested]
    state = next(one.record for one in tx.told if isinstance(one.record, CustomerChanged)).state
    assert (state.status, state.review_reasons) == ("active", ["denied_party"])
    link = next(one.record for one in tx.told if isinstance(one.record, CredentialLinkRequested))
    assert (link.link_id, link.expires_at) == (customer.welcome_link_id, tx.now + timedelta(days=30))


async def test_a_rejected_customer_frees_its_company_and_addresses(tx: Transaction) -> None:
    """CUS-13: its first admin never signs in, and a corrected application is not refused by the wrong one (CUS-11, CUS-12)."""
    customer = await held(tx)

    await reviews.reject(tx, RejectReview(customer_id=customer.id, seen=ANY, reason="On the list."))

    assert tx.facts_told == [CustomerReviewRejected, UserUpdated]
    user = (await tx.session.scalars(select(User).where(User.customer_id == customer.id))).one()
    assert (customer.status, user.status, user.email, user.gen) == ("rejected", "disabled", None, 2)
    again = await customers.create(tx, an_application(company=a_company(name=DENIED)))
    assert again.status == "pending_review"


async def test_the_decision_is_kept_with_its_reason(tx: Transaction) -> None:
    customer = await held(tx)

    await reviews.reject(tx, RejectReview(customer_id=customer.id, seen=ANY, reason="On the list."))

    review = (await tx.session.scalars(select(Review).where(Review.customer_id == customer.id))).one()
    assert tx.principal is not None
    assert (review.status, review.reason, review.decided_by, review.decided_at) == (
        "rejected",
        "On the list.",
        tx.principal.user_id,
        tx.now,
    )


async def test_what_was_decided_cannot_be_decided_again(tx: Transaction) -> None:
    customer = await held(tx)
    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=ANY))

    with pytest.raises(NotInReview):
        await reviews.reject(tx, RejectReview(customer_id=customer.id, seen=ANY, reason="Too late."))


async def test_a_decision_about_a_version_that_passed_is_refused(tx: Transaction) -> None:
    customer = await held(tx)

    with pytest.raises(Stale):
        await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=Seen(frozenset({7}))))


async def test_another_partners_customer_cannot_be_decided_about(tx: Transaction) -> None:
    customer = await held(tx)

    async with as_stranger(tx) as stranger:
        with pytest.raises(CustomerNotFound):
            await reviews.clear(stranger, ClearReview(customer_id=customer.id, seen=ANY))
