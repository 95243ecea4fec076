"""The licence terms in force: which version a customer's creation must name as accepted (CUS-26)."""

from chassis.database import Read
from chassis.http.views import View
from customers.rules import policies
from customers.rules.licence_terms import LicenceTerms


class EulaView(View, frozen=True, kw_only=True):
    """The terms in force; their `version` is sent back as `eula.version` when a customer is created.

    `text` is what is shown beside the box; `url` is where the whole stands, when the operator has put it somewhere.
    """

    version: str
    title: str
    text: str
    url: str | None


async def in_force(read: Read) -> EulaView:
    return EulaView.of_entity((await policies.read(read, LicenceTerms)).policy)
