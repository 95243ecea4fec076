"""Deeds: what a bulk job does with each of its customers, by the feature that does it to one alone (CUS-65 to CUS-67).

A refusal of that feature is the one customer's outcome. What is done is fixed when the job begins: the
template as it was then, the policy as it was written.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from chassis.access import Permission
from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis.jobs import Item, JobKind
from licensing.product_settings import assigning, deploying, firmware
from licensing.product_settings.assigning import AssignTemplate
from licensing.product_settings.deploying import DeployPolicy
from licensing.product_settings.firmware import RequestUpdate
from licensing.rules.setting import Pattern

_ANY: Final = Seen(None)


def chosen(pattern: Pattern) -> dict[str, Any]:
    """A template, as a job keeps it until its turn comes."""
    return {
        "template_id": str(pattern.template_id),
        "version": pattern.version,
        "name": pattern.name,
        "product": pattern.product,
        "settings": pattern.settings,
    }


async def assign(tx: Transaction, item: Item) -> None:
    pattern = Pattern(**item.params | {"template_id": UUID(item.params["template_id"])})
    await assigning.assign(tx, AssignTemplate(customer_id=item.id, pattern=pattern, seen=_ANY))


async def deploy(tx: Transaction, item: Item) -> None:
    """Send the policy; what the product says of it is shown by the deployment."""
    policy = {"product": item.params["product"], "settings": item.params["settings"]}
    await deploying.deploy(tx, DeployPolicy(customer_id=item.id, job_id=item.job_id, **policy))


async def update_firmware(tx: Transaction, item: Item) -> None:
    """Let the customer be told, if it requires an update; whether it has fetched it is shown by the update."""
    await firmware.request(tx, RequestUpdate(customer_id=item.id, product=item.params["product"], job_id=item.job_id))


def _kind(name: str, perform: Callable[[Transaction, Item], Awaitable[None]]) -> JobKind:
    return JobKind(name=f"licensing.bulk_{name}", perform=perform, permission=Permission.PRODUCTS_MANAGE, customers=True)


TEMPLATE: Final = _kind("template", assign)
POLICY: Final = _kind("policy", deploy)
FIRMWARE: Final = _kind("firmware", update_firmware)

KINDS: Final = (TEMPLATE, POLICY, FIRMWARE)
