"""What bodies of requests have in common."""

from typing import Annotated

from pydantic import AfterValidator

from chassis.http.text import Text
from licensing.rules import serials

type ProductCode = Annotated[str, Text(64)]
type SerialNumber = Annotated[str, Text(64), AfterValidator(serials.as_written)]
