"""Where a partner is and how it is reached, in bodies: as it signs up, as it is registered and as it is changed (CUS-69, CUS-71, C-11)."""

from typing import Annotated

from chassis.http.bodies import Body, left_out
from chassis.http.text import Text
from customers.routes.bodies import Line, Phone

type City = Annotated[str, Text(100)]
type PostalCode = Annotated[str, Text(20)]
type Region = Annotated[str, Text(100)]
type Website = Annotated[str, Text(500)]


class NewAddress(Body):
    address_1: Line
    address_2: Line | None = None
    address_3: Line | None = None
    city: City
    postal_code: PostalCode | None = None
    region: Region | None = None
    website: Website | None = None


class NewPartnerAddress(NewAddress):
    phone: Phone | None = None


class ChangedPartnerAddress(Body):
    """What is left out stays; `null` empties what may be empty."""

    address_1: Line = left_out()
    address_2: Line | None = None
    address_3: Line | None = None
    city: City = left_out()
    postal_code: PostalCode | None = None
    region: Region | None = None
    phone: Phone | None = None
    website: Website | None = None
