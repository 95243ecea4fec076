"""Where a partner's customers buy and get help, as it is kept (CUS-74)."""

from collections.abc import Mapping

from contracts.customers.partners import SupportInfo
from customers.rules import phones, websites
from customers.rules.objections import Objections


def checked(given: Mapping[str, str | None], *, country: str) -> SupportInfo:
    """Addresses with their scheme, the phone number as E.164.

    Raises:
        NotAcceptable: names every member that cannot be one.
    """
    objections = Objections()
    kept = dict(given)
    for member in ("purchase_url", "support_url"):
        url = given[member]
        kept[member] = url and websites.address(url)
        if url is not None and kept[member] is None:
            objections.add(f"/support/{member}", "website", "Not the address of a website.")
    phone = given["support_phone"]
    kept["support_phone"] = phone and phones.kept(phone, country)
    if phone is not None and kept["support_phone"] is None:
        objections.add("/support/support_phone", "phone", "Not a phone number.")
    objections.refuse()
    return SupportInfo.model_validate(kept)
