"""Where a partner's customers buy and get help, as it is kept (CUS-74)."""

from collections.abc import Mapping

from contracts.customers.partners import SupportInfo
from customers.rules.objections import Objections
from customers.rules.particulars import kept_phone, kept_website


def kept(given: Mapping[str, str | None], country: str, objections: Objections) -> SupportInfo:
    """Addresses with their scheme, the phone number as E.164."""
    urls = {member: kept_website(f"/support/{member}", given[member], objections) for member in ("purchase_url", "support_url")}
    phone = kept_phone("/support/support_phone", given["support_phone"], country, objections)
    return SupportInfo.model_validate({**given, **urls, "support_phone": phone})
