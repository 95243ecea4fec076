"""What the routes about oneself share."""

from typing import Final
from uuid import UUID

from fastapi import Request

from chassis.http import correlation
from chassis.http.calls import Call, Rails, allow, rails_of
from customers.rules.keyring import Keyring
from customers.rules.letting_in import Device

EVERYBODY: Final = frozenset({"partner", "operator", "customer"})
STAFF: Final = frozenset({"partner", "operator"})
ONESELF: Final = allow(kinds=EVERYBODY, own=True)


def tools(request: Request) -> tuple[Rails, Keyring]:
    """For operations in which a password or a code is checked at the door, before a transaction is opened."""
    rails = rails_of(request)
    return rails, rails.tools


def device(request: Request) -> Device:
    """From what and from where a request comes."""
    here = correlation.current()
    return Device(agent=request.headers.get("user-agent"), address=here.address if here else None)


def tenant(call: Call) -> UUID | None:
    """Operators change rows as the partner concerned: themselves as the root party."""
    return call.principal.tenant if call.principal.kind == "operator" else None
