"""Provisioning: which paid products may be asked for at a customer's creation (CUS-17, C-10)."""

from typing import ClassVar, Final, Literal

from chassis.errors import Refusal
from chassis.policies import Policy
from contracts.customers.customers import ProductAsked
from customers.errors import ProgrammeRequired, SerialRequired

SET_UP_PAID: Final = "set_up_paid"
_SERIAL: Final = "serial_number"


class ProvisioningPolicy(Policy):
    """``paid_without_programme``: never, always, or with the product's serial number among its answers."""

    kind: ClassVar[str] = "provisioning"

    paid_without_programme: Literal["no", "yes", "product_serial"]


def against(product: ProductAsked, capabilities: frozenset[str], policy: ProvisioningPolicy) -> type[Refusal] | None:
    """What is against a product, by what the partner's active programme grants, else by the policy."""
    if product.kind == "trial" or SET_UP_PAID in capabilities or policy.paid_without_programme == "yes":
        return None
    if policy.paid_without_programme == "no":
        return ProgrammeRequired
    serial = product.answers.get(_SERIAL)
    return None if isinstance(serial, str) and serial.strip() else SerialRequired
