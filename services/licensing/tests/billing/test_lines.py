"""A line explains itself: its amount can be recomputed from the line alone (BEY-06), and a credit from the line that it corrects."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest

from licensing.billing import (
    Basis,
    Book,
    CancelPolicy,
    Charged,
    Line,
    Part,
    Policy,
    PolicyVersion,
    Reason,
    Terms,
    allocated,
    grid_of,
    open_amount,
    rate_first_period,
    rate_next_period,
    rate_part,
    recompute,
    refund,
    take_back,
    window_is_open,
)

FIRST = UUID(int=1)
MONTHLY = Terms(price=Decimal("4.99"))
PINNED = Policy(versions=(PolicyVersion(policy="proration", version=3),))


@dataclass
class Sale:
    """Ten seats for May 2024 at 4.99."""

    line: Line
    book: Book


@pytest.fixture
def sale() -> Sale:
    starts_on = date(2024, 5, 1)
    line = rate_first_period(MONTHLY, 10, starts_on, "EUR", PINNED, line_id=FIRST)
    basis = Basis(price=MONTHLY.price, currency="EUR", policy=PINNED)
    return Sale(line, Book(basis, grid_of(MONTHLY, starts_on).containing(starts_on), [line]))


def test_a_conversion_charges_the_first_whole_period_from_its_own_day() -> None:
    line = rate_first_period(MONTHLY, 5, date(2025, 1, 31), "EUR", PINNED, line_id=FIRST, reason=Reason.CONVERSION)

    assert (line.amount, line.reason, line.id) == (Decimal("24.95"), Reason.CONVERSION, FIRST)
    assert (line.period.starts, line.period.ends) == (date(2025, 1, 31), date(2025, 2, 28))
    assert line.policy_versions == PINNED.versions


def test_a_purchase_between_two_boundaries_is_charged_for_the_rest() -> None:
    line = rate_first_period(Terms(price=Decimal("10.00"), anchor_day=1), 1, date(2024, 3, 5), "EUR", Policy(), line_id=FIRST)

    assert (line.numerator, line.denominator, line.amount) == (27, 31, Decimal("8.71"))
    assert line.unrounded == Decimal("8.709677419355")


def test_a_renewal_is_charged_whole() -> None:
    period = grid_of(MONTHLY, date(2025, 1, 31)).containing(date(2025, 2, 28))
    line = rate_next_period(MONTHLY, 7, period, "EUR", Policy(), line_id=FIRST)

    assert (line.amount, line.reason, line.period.ends) == (Decimal("34.93"), Reason.RENEWAL, date(2025, 3, 31))


def test_the_amount_follows_from_the_line_alone(sale: Sale) -> None:
    read_elsewhere = Line.model_validate_json(sale.line.model_dump_json())

    assert recompute(read_elsewhere) == sale.line.amount
    assert recompute(read_elsewhere.model_copy(update={"quantity": Decimal(11)})) != sale.line.amount


def test_a_credit_names_the_line_that_it_corrects_and_uses_its_price(sale: Sale) -> None:
    dearer = Book(Basis(price=Decimal(99), currency="EUR", policy=PINNED), sale.book.period, sale.book.told)
    (credit,) = take_back(dearer, date(2024, 5, 22), iter([UUID(int=2)]), reason=Reason.DECREASE, quantity=Decimal(3))

    assert (credit.corrects, credit.price, credit.quantity, credit.numerator) == (FIRST, MONTHLY.price, Decimal(-3), 10)
    assert credit.amount == Decimal("-4.83")


def test_the_seats_that_came_last_go_first(sale: Sale) -> None:
    ids = (UUID(int=number) for number in count(2))
    part = Part(starts=date(2024, 5, 11), ends=date(2024, 6, 1), price=MONTHLY.price, quantity=Decimal(2))
    more = rate_part(sale.book, part, next(ids), Reason.INCREASE)
    book = Book(sale.book.basis, sale.book.period, [sale.line, more])
    returned = take_back(book, date(2024, 5, 11), ids, reason=Reason.DECREASE, quantity=Decimal(5))

    assert [(line.corrects, line.quantity) for line in returned] == [(more.id, Decimal(-2)), (FIRST, Decimal(-3))]
    assert open_amount(more, [*book.told, *returned]) == 0


def test_a_window_belongs_to_its_charge(sale: Sale) -> None:
    bought_at = datetime(2024, 5, 1, tzinfo=UTC)
    charged, policy = Charged(sale.line, bought_at), CancelPolicy()
    still_open = [window_is_open(charged, bought_at + timedelta(hours=hours), policy) for hours in (0, 167, 168)]

    assert still_open == [True, True, False]
    assert not window_is_open(charged, bought_at, None)
    assert refund(sale.book, charged, bought_at, UUID(int=2), policy.refund).amount == -sale.line.amount


def test_children_carry_their_weight_and_their_parent(sale: Sale) -> None:
    children = allocated(sale.line, [Decimal("0.5"), Decimal(1), Decimal(0)], iter([UUID(int=2), UUID(int=3), UUID(int=4)]))

    assert [child.amount for child in children] == [Decimal("16.63"), Decimal("33.27"), Decimal("0.00")]
    assert {child.parent for child in children} == {FIRST}
    assert all(recompute(child) == child.amount for child in children)
