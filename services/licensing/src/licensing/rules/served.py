"""Customers that licensing serves, as operators find them: by id, whoever's they are.

For everybody else the request's own level check has decided already whether there is such a customer.
"""

from typing import Final
from uuid import UUID

from chassis.access.rights import CustomerNotFound
from chassis.database import Read

_KNOWN: Final = "select exists (select from served_customers where id = $1)"


async def require(read: Read, customer_id: UUID) -> None:
    """Refuse a customer that nobody has, where an operator asks.

    Raises:
        CustomerNotFound: no partner has one of this id.
    """
    if read.principal.kind == "operator" and not await read.connection.fetchval(_KNOWN, customer_id):
        raise CustomerNotFound
