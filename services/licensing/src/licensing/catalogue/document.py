"""The shape of a catalogue file."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le, MaxLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chassis.http.text import Name
from chassis.jobs.reach import BulkPolicy
from licensing.billing import Cadence, minor_units
from licensing.billing.money import Price as UnitPrice
from licensing.rules.capabilities import CapabilityMatrix
from licensing.rules.offered import AccountMatrix
from licensing.rules.orders import MOST_SEATS
from licensing.rules.quotes import RatingPolicy
from licensing.rules.settings_documents import SettingsDocument

_CODE = r"^[a-z0-9][a-z0-9_-]{0,63}$"


def _days(text: str) -> str:
    if not Cadence.parse(text).days:
        raise ValueError(f"{text} is not whole days, like P60D")
    return text


def _currency(code: str) -> str:
    minor_units(code)
    return code


Code = Annotated[str, StringConstraints(pattern=_CODE)]
Days = Annotated[str, AfterValidator(_days)]
Currency = Annotated[str, AfterValidator(_currency)]
SerialCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{5,63}$")]
type Times = Annotated[int, Field(strict=True), Ge(0), Le(100)]
type Requirement = Literal["programme_active", "eula"]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExtensionSaid(_Said):
    """How often a trial may be prolonged, and how often by users of a role."""

    max: Times = 0
    by_role: dict[Code, Times] = {}


class TrialSaid(_Said):
    """How a trial runs. ``convert_requires`` is what conversion at its end asks for: everything, unless said otherwise (C-1)."""

    duration: Days
    seat_cap: Annotated[int, Field(strict=True), Ge(1), Le(MOST_SEATS)] | None
    end_behavior: Literal["expire", "convert", "pause"]
    convert_requires: list[Requirement] = []
    max_per_customer_product: Annotated[int, Field(strict=True), Ge(1), Le(1000)] = 1
    notify_before: list[Days] = []
    clock: Literal["local_days", "instant"] = "local_days"
    extension: ExtensionSaid = ExtensionSaid()
    usage_billable: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="before")
    @classmethod
    def _converting_asks_for_everything(cls, said: Any) -> Any:
        if isinstance(said, dict) and said.get("end_behavior") == "convert":
            return {"convert_requires": ["programme_active", "eula"], **said}
        return said


class PriceSaid(_Said):
    """The price of one seat for one whole period."""

    currency: Currency
    unit_price: UnitPrice
    period: Literal["month", "quarter", "year"]
    charge: Literal["in_advance", "in_arrears"]


class OfferSaid(_Said):
    code: Code
    product: Code
    product_type: Code
    name: Name
    status: Literal["on_sale", "withdrawn"] = "on_sale"
    trial: TrialSaid | None = None
    price: PriceSaid | None = None
    auto_renew_default: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="after")
    def _there_is_something_to_give(self) -> Self:
        if self.trial is None and self.price is None:
            raise ValueError("an offer has a trial, a price, or both")
        if self.trial and self.trial.end_behavior == "convert" and self.price is None:
            raise ValueError("a trial that converts needs a price")
        return self


class ProductSaid(_Said):
    """What a product can be set by; one that no file names can be set by nothing. ``defaults`` are its own settings."""

    code: Code
    name: Name
    templates: Annotated[bool, Field(strict=True)] = False
    policies: Annotated[bool, Field(strict=True)] = False
    firmware: Annotated[bool, Field(strict=True)] = False
    defaults: SettingsDocument = {}

    @model_validator(mode="after")
    def _defaults_can_be_set(self) -> Self:
        if self.defaults and not self.templates:
            raise ValueError("a product that has no templates has no default settings")
        return self


class SerialSaid(_Said):
    code: SerialCode
    kind: Literal["service_provider", "product"]
    product: Code | None = None

    @model_validator(mode="after")
    def _a_product_serial_names_its_product(self) -> Self:
        if (self.kind == "product") != (self.product is not None):
            raise ValueError("the serial number of a product names it, a programme's names none")
        return self


class PoliciesSaid(_Said):
    """Policy documents to publish; one that is left out stays as it is."""

    bulk: BulkPolicy | None = None
    capabilities: CapabilityMatrix | None = None
    capability_matrix: AccountMatrix | None = None
    rating: RatingPolicy | None = None


class CatalogueFile(_Said):
    """Offers and products that are not named stay as they are: an offer is withdrawn by saying so."""

    products: Annotated[list[ProductSaid], MaxLen(1000)] = []
    offers: Annotated[list[OfferSaid], MaxLen(1000)] = []
    serials: Annotated[list[SerialSaid], MaxLen(10_000)] = []
    policies: PoliciesSaid = PoliciesSaid()

    @model_validator(mode="after")
    def _codes_are_said_once(self) -> Self:
        twice = [code for said in (self.products, self.offers, self.serials) for code in _twice([one.code for one in said])]
        if twice:
            raise ValueError(f"said twice: {', '.join(twice)}")
        return self


def _twice(codes: Sequence[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})
