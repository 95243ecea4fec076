"""Deeds: what a bulk job does with each of its customers, by the feature that does it to one alone (CUS-68).

A refusal of that feature is the one customer's outcome. Whoever starts a job needs what the single
deed needs, and so does each customer, once more when its turn comes.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis.jobs import Item, JobKind
from customers import tagging
from customers.consents import communications
from customers.consents.communications import ChooseCommunications
from customers.offboarding import disabling
from customers.offboarding.disabling import EnableCustomer
from customers.rules import actions, going
from customers.rules.capabilities import Action
from customers.rules.holding import hold
from customers.tagging import TagCustomer

_ANY: Final = Seen(None)


async def tag(tx: Transaction, item: Item) -> None:
    """Add tags to those that it has."""
    customer = await hold(tx, item.id, _ANY)
    await tagging.tag(tx, TagCustomer(customer_id=item.id, seen=_ANY, tags=[*customer.tags, *item.params["tags"]]))


async def untag(tx: Transaction, item: Item) -> None:
    """Take tags from it, as far as it has them."""
    customer = await hold(tx, item.id, _ANY)
    left = [one for one in customer.tags if one not in item.params["tags"]]
    await tagging.tag(tx, TagCustomer(customer_id=item.id, seen=_ANY, tags=left))


async def choose_communications(tx: Transaction, item: Item) -> None:
    mode: Any = item.params["communications_mode"]
    await communications.choose(tx, ChooseCommunications(customer_id=item.id, seen=_ANY, communications_mode=mode))


async def disable(tx: Transaction, item: Item) -> None:
    await going.put_to_rest(tx, await hold(tx, item.id, _ANY))


async def enable(tx: Transaction, item: Item) -> None:
    await disabling.enable(tx, EnableCustomer(customer_id=item.id, seen=_ANY))


async def unlink(tx: Transaction, item: Item) -> None:
    await going.unlink(tx, await hold(tx, item.id, _ANY))


async def delete(tx: Transaction, item: Item) -> None:
    """Ask for its deletion; what licensing answers is shown by the customer's own deletion."""
    await going.ask_deletion(tx, await hold(tx, item.id, _ANY))


def _kind(name: str, action: Action, perform: Callable[[Transaction, Item], Awaitable[None]]) -> JobKind:
    return JobKind(name=f"customers.bulk_{name}", perform=perform, permission=action.permission, customers=True)


TAG: Final = _kind("tag", actions.TAG, tag)
UNTAG: Final = _kind("untag", actions.TAG, untag)
COMMUNICATIONS: Final = _kind("communications", actions.SET_COMMUNICATIONS, choose_communications)
DISABLE: Final = _kind("disable", actions.DISABLE, disable)
ENABLE: Final = _kind("enable", actions.ENABLE, enable)
UNLINK: Final = _kind("unlink", actions.UNLINK, unlink)
DELETE: Final = _kind("delete", actions.DELETE, delete)

KINDS: Final = (TAG, UNTAG, COMMUNICATIONS, DISABLE, ENABLE, UNLINK, DELETE)
