"""Where a partner is and how it is reached, as it is kept: the same at sign-up, at registration and on change (CUS-69, CUS-71, C-11)."""

from collections.abc import Mapping
from typing import Final

from contracts.customers.partners import PartnerAddress
from customers.rules.objections import Objections
from customers.rules.particulars import kept_phone, kept_website

type Address = Mapping[str, str | None]

_NEEDED: Final = tuple(name for name, member in PartnerAddress.model_fields.items() if member.is_required())


def kept(given: Address, country: str, objections: Objections, *, phone_at: str = "/address/phone") -> dict[str, str | None]:
    """All members; the phone number as E.164, a national one read as the country's, the website with its scheme."""
    for name in _NEEDED:
        if given.get(name) is None:
            objections.add(f"/address/{name}", "missing", "An address has a first line and a city.")
    phone = kept_phone(phone_at, given.get("phone"), country, objections)
    website = kept_website("/address/website", given.get("website"), objections)
    return {name: given.get(name) for name in PartnerAddress.model_fields} | {"phone": phone, "website": website}
