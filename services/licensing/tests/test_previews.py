"""What a preview shows is what converting does: the same answer, the same refusals, or nothing at all (BEY-05)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.ids import new_id
from licensing import conversions
from licensing.conversions import ConvertTrial, PreviewConversion
from licensing.errors import PreviewOutdated, SerialOfOtherKind, SerialRequired, SerialTaken, SerialUnknown
from licensing.tables.lines import BillingLine
from licensing.tables.offers import Offer
from licensing.tables.previews import Preview
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import MONTHLY, a_matrix, a_programme, a_serial, a_trial, an_offer, as_operator


@pytest.fixture
async def trial(tx: Transaction) -> Subscription:
    """A trial of ten seats of a partner in the programme; nothing told yet."""
    await a_programme(tx)
    tx.told.clear()
    return await a_trial(tx)


@pytest.fixture
async def sep(tx: Transaction) -> Offer:
    """An offer of a product, by a matrix that lets plain resellers convert with its serial number (LIC-10)."""
    await a_matrix(tx, convert_trial="product_serial")
    return await an_offer(tx, product="sep")


async def test_a_preview_shows_the_line_and_changes_nothing(tx: Transaction, trial: Subscription) -> None:
    """BEY-05."""
    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id, quantity=20))

    assert (shown.quantity, shown.total, shown.currency) == (20, Decimal("90.00"), "EUR")
    assert [line.amount for line in shown.lines] == [Decimal("90.00")]
    assert trial.status == "trial"
    assert tx.told == []


async def test_a_preview_is_executed_exactly_as_shown(tx: Transaction, trial: Subscription) -> None:
    """BEY-05."""
    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id, quantity=20))

    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token))

    line = (await tx.session.execute(select(BillingLine))).scalar_one()
    assert (converted.seats_bought, line.amount) == (20, shown.total)


async def test_a_preview_is_outdated_when_the_price_has_changed(tx: Transaction) -> None:
    """BEY-05."""
    await a_programme(tx)
    offer = await an_offer(tx)
    trial = await a_trial(tx, offer=offer)
    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id))
    async with as_operator(tx):
        offer.price = {**MONTHLY, "unit_price": "4.51"}

    with pytest.raises(PreviewOutdated):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token))


async def test_a_preview_is_outdated_when_the_subscription_has_changed(tx: Transaction, trial: Subscription) -> None:
    """BEY-05."""
    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id))
    trial.last_notice = "P7D"
    await tx.session.flush()

    with pytest.raises(PreviewOutdated):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token))


async def test_a_preview_is_outdated_after_a_quarter_of_an_hour(tx: Transaction, trial: Subscription) -> None:
    """BEY-05."""
    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id))
    kept = await tx.session.get_one(Preview, (tx.partner_id, shown.preview_token))
    kept.expires_at -= timedelta(minutes=15)

    with pytest.raises(PreviewOutdated):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token))


async def test_a_token_confirms_no_other_quantity_and_no_other_subscription(tx: Transaction, trial: Subscription) -> None:
    """BEY-05."""
    other = await a_trial(tx)
    token = (await conversions.preview(tx, PreviewConversion(subscription_id=trial.id, quantity=20))).preview_token

    for command in (
        ConvertTrial(subscription_id=trial.id, quantity=21, preview_token=token),
        ConvertTrial(subscription_id=other.id, preview_token=token),
        ConvertTrial(subscription_id=trial.id, preview_token=new_id()),
    ):
        with pytest.raises(PreviewOutdated):
            await conversions.convert(tx, command)


async def test_a_preview_refuses_for_want_of_a_serial_number_as_converting_does(tx: Transaction, sep: Offer) -> None:
    """BEY-05, LIC-10: nobody is given a token that converts nothing."""
    trial = await a_trial(tx, offer=sep)

    with pytest.raises(SerialRequired):
        await conversions.preview(tx, PreviewConversion(subscription_id=trial.id))
    for code, refusal in (
        ("SN-UNKNOWN", SerialUnknown),
        (await a_serial(tx, kind="product", product="other"), SerialOfOtherKind),
        (await a_serial(tx), SerialOfOtherKind),
    ):
        with pytest.raises(refusal):
            await conversions.preview(tx, PreviewConversion(subscription_id=trial.id, serial_number=code))


async def test_a_token_converts_with_the_serial_number_that_was_shown(tx: Transaction, sep: Offer) -> None:
    """BEY-05, LIC-10: it need not be named twice, and no other one is taken."""
    trial, code = await a_trial(tx, offer=sep), await a_serial(tx, kind="product", product="sep")
    other = await a_serial(tx, kind="product", product="sep")

    shown = await conversions.preview(tx, PreviewConversion(subscription_id=trial.id, serial_number=code))
    with pytest.raises(PreviewOutdated):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token, serial_number=other))
    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, preview_token=shown.preview_token))

    assert (shown.serial_number, converted.serial_number) == (code, code)


async def test_a_serial_number_that_somebody_took_meanwhile_converts_nothing(tx: Transaction, sep: Offer) -> None:
    """BEY-05: the state moved."""
    first, second = await a_trial(tx, offer=sep), await a_trial(tx, offer=sep)
    code = await a_serial(tx, kind="product", product="sep")
    token = (await conversions.preview(tx, PreviewConversion(subscription_id=first.id, serial_number=code))).preview_token
    await conversions.convert(tx, ConvertTrial(subscription_id=second.id, serial_number=code))
    await tx.session.flush()

    with pytest.raises(SerialTaken):
        await conversions.convert(tx, ConvertTrial(subscription_id=first.id, preview_token=token))


async def test_a_preview_names_the_serial_number_that_stays(tx: Transaction, trial: Subscription) -> None:
    """BEY-05, LIC-14."""
    assert (await conversions.preview(tx, PreviewConversion(subscription_id=trial.id))).serial_number == trial.serial_number
