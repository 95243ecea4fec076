"""Reports: what a product's connector tells about one customer, and says in the data too, so that the envelope can be held against it.

``ce_source`` names the connector (``/connectors/endpoint``, say); what it says of partner, customer and entity is
checked as any other record's, and a report that does not hold is parked with its reason.
"""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from contracts.records import Fact


def _with_zone(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at


type Instant = Annotated[datetime, AfterValidator(_with_zone)]
type Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
type Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name, a version or a key, as a product writes it."""
type Note = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Report(Fact):
    """``entity`` names the field that is the envelope's subject; ``customer_id`` is the envelope's customer."""

    entity: ClassVar[str]
    customer_id: UUID
    product: Line
