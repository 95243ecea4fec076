"""Sketches: what is sound in a body for a customer's creation that need not be whole, and what is wrong with the rest (CUS-20)."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Annotated, Any, ClassVar

from annotated_types import Len
from pydantic import ConfigDict, Field, ValidationError

from chassis.http.bodies import Body
from chassis.http.invalid import field_errors
from chassis.http.text import EmailAddress, Text
from contracts.customers.customers import ProductAsked
from customers.drafts import Filled
from customers.routes.bodies import ChangedCompany, ChangedContact, NewCustomer, NewProduct
from customers.rules.application import FirstAdminWanted, Sketch


class _FirstAdmin(Body):
    first_name: Annotated[str, Text(100)] | None = None
    last_name: Annotated[str, Text(100)] | None = None
    email: EmailAddress | None = None
    temporary: bool = False

    def wanted(self) -> FirstAdminWanted | None:
        if not (self.first_name and self.last_name):
            return None
        return FirstAdminWanted(first_name=self.first_name, last_name=self.last_name, email=self.email, temporary=self.temporary)


class _Eula(Body):
    version: Annotated[str, Text(50)] | None = None
    accepted: bool = False


class _Sketched(Body):
    """The members that rules look at; those that are left have a shape and nothing more."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    company: ChangedCompany = Field(default_factory=ChangedCompany)
    contact: ChangedContact = Field(default_factory=ChangedContact)
    domain: Annotated[str, Text(253)] | None = None
    first_admin: _FirstAdmin = Field(default_factory=_FirstAdmin)
    products: Annotated[list[NewProduct | None], Len(0, 20)] | None = None
    eula: _Eula = Field(default_factory=_Eula)
    data_region: Annotated[str, Text(50)] | None = None

    def sketch(self) -> Sketch:
        return Sketch(
            company=self.company.model_dump(exclude_unset=True),
            contact=self.contact.model_dump(exclude_unset=True),
            domain=self.domain,
            first_admin=self.first_admin.wanted(),
            products=None if self.products is None else tuple(_asked(self.products)),
            eula_version=self.eula.version,
            data_region=self.data_region,
        )


def _asked(products: Sequence[NewProduct | None]) -> Iterator[ProductAsked]:
    return (ProductAsked(item=number, **one.model_dump()) for number, one in enumerate(products, start=1) if one is not None)


def filled(body: dict[str, Any]) -> Filled:
    """A body as far as it is filled in."""
    try:
        whole = NewCustomer.model_validate(body)
    except ValidationError as wrong:
        found = wrong.errors()
        errors = field_errors([{**error, "loc": ("body", *error["loc"])} for error in found], body)
        return Filled(body=body, errors=errors, sketch=_sound(body, [error["loc"] for error in found]))
    return Filled(body=body, errors=(), sketch=Sketch.of(whole.command()))


def _sound(body: dict[str, Any], wrong: Sequence[tuple[int | str, ...]]) -> Sketch:
    """What is left without what is wrong; places in a list stay, so that each of the others keeps its own."""
    left = deepcopy(body)
    for steps in wrong:
        _take_out(left, steps)
    try:
        return _Sketched.model_validate(left).sketch()
    except ValidationError as still:
        members = {error["loc"][0] for error in still.errors()}
        return _Sketched.model_validate({name: value for name, value in left.items() if name not in members}).sketch()


def _take_out(here: Any, steps: Sequence[int | str]) -> None:
    """Take out the member that is wrong; of a list the whole place, which is nothing without it."""
    *through, last = steps
    for step in through:
        match here, step:
            case dict(), _:
                here = here.get(step)
            case list(), int(place):
                here[place] = None
                return
    match here, last:
        case dict(), _:
            here.pop(last, None)
        case list(), int(place):
            here[place] = None
