"""What is answered is what the document says, and a customer's users are not shown how their partner buys."""

import pytest

from chassis.http.lists import Listing
from chassis.http.views import View
from chassis_testing.views import fitted
from licensing import conversions
from licensing.capabilities import CapabilitiesView
from licensing.conversions import ConvertTrial, PreviewView
from licensing.entitlements import EntitlementView
from licensing.lines import LineView
from licensing.offers import OfferView
from licensing.programmes import ProgrammeView
from licensing.provisioning import ProvisioningView
from licensing.subscriptions import SubscriptionView
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import a_programme, a_trial
from licensing_testing.desk import Desk

WITHHELD = {"offer", "offer_version", "trial_policy", "currency", "unit_price", "price_period", "charge"}


@pytest.fixture
async def trial(desk: Desk) -> Subscription:
    """A trial in a programme, so that it may be converted."""
    await desk.set_up(a_programme)
    trial = await desk.set_up(a_trial)
    await desk.knows(trial.customer_id)
    return trial


async def test_the_bytes_fit_what_the_document_says(desk: Desk, trial: Subscription) -> None:
    """Of a trial as of what was bought."""
    preview = await desk.post(f"/v1/subscriptions/{trial.id}/convert/preview", {"quantity": 12})
    said: dict[str, type[View]] = {
        "/v1/offers": Listing[OfferView],
        "/v1/capabilities": CapabilitiesView,
        "/v1/programmes": Listing[ProgrammeView],
        "/v1/subscriptions": Listing[SubscriptionView],
        f"/v1/subscriptions/{trial.id}": SubscriptionView,
        f"/v1/customers/{trial.customer_id}/entitlements": Listing[EntitlementView],
        f"/v1/customers/{trial.customer_id}/provisioning": Listing[ProvisioningView],
        "/v1/lines": Listing[LineView],
    }

    for path, view in said.items():
        fitted(view, (await desk.get(path)).content)
    converted = await desk.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"')
    for path, view in said.items():
        fitted(view, (await desk.get(path)).content)

    fitted(PreviewView, preview.content)
    fitted(SubscriptionView, converted.content)


async def test_programmes_are_listed_page_by_page(desk: Desk, trial: Subscription) -> None:
    """An operator sees every partner's, the oldest first."""
    other = await desk.newcomer()
    await other.set_up(a_programme)
    operator = await desk.operator()

    first = (await operator.get("/v1/programmes", limit=1)).json()
    second = (await operator.get("/v1/programmes", limit=1, cursor=first["next"])).json()

    assert (len(first["items"]), len(second["items"]), second["next"]) == (1, 1, None)
    assert first["items"] != second["items"]
    assert len((await desk.get("/v1/programmes")).json()["items"]) == 1


async def test_a_customers_own_user_is_not_shown_offers_and_prices(desk: Desk, trial: Subscription) -> None:
    await desk.set_up(lambda tx: conversions.convert(tx, ConvertTrial(subscription_id=trial.id)))
    own, path = await desk.portal(trial.customer_id), f"/v1/subscriptions/{trial.id}"

    shown, whole = await own.get(path), (await desk.get(path)).json()
    (entitled,) = (await own.get(f"/v1/customers/{trial.customer_id}/entitlements")).json()["items"]

    assert set(whole) - set(shown.json()) == WITHHELD
    assert shown.json().items() <= whole.items()
    assert fitted(SubscriptionView, shown.content).product == whole["product"]
    assert "offer" not in entitled
    assert (await own.get("/v1/offers")).json()["code"] == "wrong_principal"
