"""Who lives in a fresh installation: a partner with a programme, a plain reseller, and their customers."""

from dataclasses import dataclass
from typing import Any, Final

PASSWORD: Final = "correct-horse-battery"  # noqa: S105 (the demo's, and said so at the end of the tour)
MANAGEMENT_TYPES: Final = ("partner_managed", "co_managed", "customer_managed")
EULA: Final = "2026-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A partner of the demo and its first administrator, who signs in with ``PASSWORD``."""

    name: str
    country: str
    time_zone: str
    domain: str
    admin: str
    serial_number: str | None = None

    @property
    def email(self) -> str:
        return f"{self.admin.split()[0].lower()}@{self.domain}"

    def body(self) -> dict[str, Any]:
        return {
            "company_name": self.name,
            "country": self.country,
            "time_zone": self.time_zone,
            "support": {
                "purchase_url": f"https://shop.{self.domain}",
                "support_url": f"https://help.{self.domain}",
                "support_email": f"help@{self.domain}",
                "support_phone": "+49 30 5550100" if self.country == "DE" else "+33 1 55 50 01 00",
            },
            "admin": {"name": self.admin, "email": self.email, "password": PASSWORD},
        }


NORTHWIND: Final = Partner(
    name="Northwind Managed Services",
    country="DE",
    time_zone="Europe/Berlin",
    domain="northwind-msp.com",
    admin="Nora Lindqvist",
    serial_number="EXSP-2026-0001-ALFA",
)
BISTROT: Final = Partner(
    name="Bistrot Informatique", country="FR", time_zone="Europe/Paris", domain="bistrot-informatique.com", admin="Benoit Marchand"
)

_COMPANIES: Final = (
    ("Alder Bakery", "Anna Alder"),
    ("Birch Bicycles", "Bruno Birch"),
    ("Cedar Dental", "Clara Cedar"),
    ("Dogwood Design", "David Dogwood"),
    ("Elm Electrics", "Eva Elm"),
    ("Fir Freight", "Frank Fir"),
    ("Ginkgo Garden", "Greta Ginkgo"),
    ("Hazel Hotel", "Hugo Hazel"),
    ("Ivy Insurance", "Ines Ivy"),
    ("Juniper Joinery", "Jonas Juniper"),
    ("Kapok Kitchens", "Karla Kapok"),
    ("Larch Logistics", "Lukas Larch"),
)
_BRANCHES: Final = {"partner_managed": "North", "co_managed": "South", "customer_managed": "West"}


def customers() -> list[dict[str, Any]]:
    """A dozen customers of each management type, as bodies of ``POST /v1/customers``."""
    return [
        customer(f"{company} {branch}", person, management_type=management_type, seats=5 + number)
        for management_type, branch in _BRANCHES.items()
        for number, (company, person) in enumerate(_COMPANIES)
    ]


def customer(
    company: str,
    person: str,
    *,
    management_type: str = "co_managed",
    offer: str = "sep-cloud",
    seats: int = 10,
) -> dict[str, Any]:
    """One customer in Berlin with a trial; ``person`` is the contact and signs in first."""
    domain = f"{company.lower().replace(' ', '-')}.com"
    first, last = person.split()
    return {
        "management_type": management_type,
        "company": {
            "name": company,
            "address_1": "Unter den Linden 1",
            "city": "Berlin",
            "postal_code": "10117",
            "country": "DE",
            "phone": "+49 30 5550123",
            "website": f"https://{domain}",
        },
        "contact": {
            "name": person,
            "email": f"office@{domain}",
            "phone": "+49 30 5550123",
            "language": "en",
            "time_zone": "Europe/Berlin",
        },
        "domain": domain,
        "first_admin": {"first_name": first, "last_name": last},
        "send_welcome": management_type != "partner_managed",
        "products": [{"offer": offer, "kind": "trial", "quantity": seats}],
        "eula": {"version": EULA, "accepted": True},
    }
