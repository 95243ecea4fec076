"""Samples of every record, built from its fields alone: the same on every machine, every time.

The first sample of a record is full, the second sparse (null, empty and left out wherever that
is allowed), the others full again with the remaining values of each enumeration.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAliasType, Union, get_args, get_origin
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, JsonValue

from contracts.envelope import Envelope
from contracts.products.reports import Report
from contracts.records import Record, schema_id

PARTNER_ID: Final = UUID("01936b00-0000-7000-8000-000000000002")
CUSTOMER_ID: Final = UUID("01936b00-0000-7000-8000-000000000003")
AT: Final = datetime(2026, 11, 20, 9, 30, 15, 250000, tzinfo=UTC)

_OF_PARTNERS: Final = frozenset({"partner", "clock", "user", "role", "programme", "offer"})
_LIKELY: Final[dict[str, Any]] = {
    "BillingLineRated.reason": "term_started",
    "Company.name": "Müller & Söhne GmbH",
    "OfferPublished.code": "endpoint-cloud",
    "OfferState.code": "endpoint-cloud",
    "OfferState.name": "Endpoint Cloud",
    "PartnerState.name": "Hafen IT",
    "ProgrammeEnded.reason": "contract_ended",
    "RoleState.name": "Technicians",
    "RoleCreated.name": "Technicians",
    "address_1": "Hafenstraße 1",
    "address_2": "Haus C",
    "address_3": "4. Stock",
    "agent_version": "14.3.1",
    "answer": "Hamburg",
    "capability": "provision",
    "city": "Hamburg",
    "code": "no_programme",
    "country": "DE",
    "currency": "EUR",
    "data_region": "default",
    "denominator": 30,
    "domain": "example.com",
    "duration": "P60D",
    "EndpointReported.group": "Sales",
    "EndpointReported.name": "PC-0117",
    "convert_require": "price",
    "email": "ada@example.com",
    "ends_at": AT + timedelta(days=60),
    "eula_version": "2026-01",
    "field": "language",
    "firmware_version": "7.2.0",
    "first_name": "Ada",
    "language": "en",
    "last_name": "Lovelace",
    "message_id": "<2d8a7c@example.net>",
    "name": "Ada Lovelace",
    "notice": "P7D",
    "notify_before": "P7D",
    "numerator": 11,
    "offer": "endpoint-cloud",
    "period_to": AT.date() + timedelta(days=11),
    "permission": "customers.add",
    "phone": "+4940123456",
    "policy_version": "3",
    "postal_code": "20457",
    "product": "endpoint",
    "product_type": "endpoint_protection",
    "purchase_url": "https://shop.example.net",
    "reason": "The address is that of another company.",
    "region": "HH",
    "remedy": "Activate a programme.",
    "review_reason": "duplicate_company",
    "rule": "LIC-05",
    "serial_number": "SN-0001-0001",
    "support_email": "help@example.net",
    "support_phone": "+4940654321",
    "support_url": "https://help.example.net",
    "tag": "vip",
    "template": "welcome",
    "term_end": AT + timedelta(days=30),
    "time_zone": "Europe/Berlin",
    "trial_ends_at": AT + timedelta(days=60),
    "unrounded_amount": "12.4999999999",
    "website": "https://example.com",
    "zone": "Europe/Berlin",
}
"""What a field of this name may well say; a record's own word comes first."""

_SCALARS: Final[dict[type, Any]] = {
    bool: True,
    float: 86_400.0,
    int: 3,
    Decimal: Decimal("12.50"),
    date: AT.date(),
    datetime: AT,
}


def envelope(record: type[Record], number: int = 0) -> Envelope:
    """The envelope of the record's sample ``number``; the sparse one leaves out what may be left out."""
    sparse = number == 1
    return Envelope(
        id=uuid5(NAMESPACE_URL, f"{record.topic}/{number}"),
        type=record.topic,
        source=f"/{record.__module__.split('.')[1]}",
        time=AT,
        effective_time=AT.replace(microsecond=0),
        subject=_subject(record),
        partner_id=PARTNER_ID,
        customer_id=None if record.aggregate in _OF_PARTNERS else CUSTOMER_ID,
        aggregate_type=record.aggregate,
        aggregate_version=number + 1,
        data_schema=schema_id(record.topic),
        sandbox=number > 1,
        causation_id=None if sparse else str(_id("cause")),
        correlation_id=None if sparse else "req-7f3a",
        traceparent=None if sparse else "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def records(record: type[Record]) -> list[Record]:
    """The samples of one kind of record: enough that every value of every enumeration stands in one."""
    known = {"id": _subject(record), "partner_id": PARTNER_ID, "customer_id": CUSTOMER_ID, "fact": f"{record.aggregate}.updated"}
    if issubclass(record, Report):
        known |= {record.entity: _subject(record)}
    numbers = range(1 + max(1, _longest_enumeration(record)))
    return [_Builder(number, known).model(record) for number in numbers]


class _Builder:
    """Builds one sample: number 1 is the sparse one, the others walk through the enumerations."""

    def __init__(self, number: int, known: dict[str, Any]) -> None:
        self._sparse = number == 1
        self._choice = max(0, number - 1)
        self._known = known
        self._composites = {
            Annotated: lambda inner, name: self._value(inner[0], name),
            Literal: lambda values, _: values[self._choice % len(values)],
            Union: self._optional,
            UnionType: self._optional,
            list: self._list,
            dict: self._dict,
        }

    def model[M: BaseModel](self, model: type[M]) -> M:
        wanted = {name: field.annotation for name, field in model.model_fields.items() if field.is_required() or not self._sparse}
        return model(**{name: self._value(annotation, f"{model.__name__}.{name}") for name, annotation in wanted.items()})

    def _value(self, annotation: Any, name: str) -> Any:
        if annotation is JsonValue:
            return self._value(str, name)
        if isinstance(annotation, TypeAliasType):
            return self._value(annotation.__value__, name)
        composite = self._composites.get(get_origin(annotation))
        return composite(get_args(annotation), name) if composite else self._plain(annotation, name)

    def _optional(self, inner: tuple[Any, ...], name: str) -> Any:
        return None if self._sparse else self._value(next(one for one in inner if one is not NoneType), name)

    def _list(self, inner: tuple[Any, ...], name: str) -> list[Any]:
        return [] if self._sparse else [self._value(inner[0], _singular(name))]

    def _dict(self, inner: tuple[Any, ...], name: str) -> dict[Any, Any]:
        return {} if self._sparse else {self._value(one, _singular(name)): self._value(other, _singular(name)) for one, other in [inner]}

    def _plain(self, annotation: type, qualified: str) -> Any:
        name = qualified.rpartition(".")[2]
        for word in (self._known.get(name), _LIKELY.get(qualified), _LIKELY.get(name)):
            if type(word) is annotation:
                return word
        if annotation is UUID:
            return _id(name)
        if issubclass(annotation, BaseModel):
            return self.model(annotation)
        return name.replace("_", "-") if annotation is str else _SCALARS[annotation]


def _singular(name: str) -> str:
    return f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")


def _subject(record: type[Record]) -> UUID:
    return {"partner": PARTNER_ID, "clock": PARTNER_ID, "customer": CUSTOMER_ID}.get(record.aggregate) or _id(record.aggregate)


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


def _longest_enumeration(annotation: Any) -> int:
    if annotation is JsonValue:
        return 1
    if isinstance(annotation, TypeAliasType):
        return _longest_enumeration(annotation.__value__)
    if get_origin(annotation) is Literal:
        return len(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inside: list[Any] = [field.annotation for field in annotation.model_fields.values()]
    else:
        inside = list(get_args(annotation))
    return max(map(_longest_enumeration, inside), default=1)
