"""Staff: at which domains a partner's own people have their addresses, so that none of them passes for its customer's (CUS-09, CUS-18)."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Uuid, bindparam, func, select

from chassis.database import Transaction
from customers.rules.domains import FREE_MAIL
from customers.tables.users import User

_DOMAIN: Final = func.lower(func.split_part(User.email, "@", 2))
DOMAINS: Final = select(func.array_agg(_DOMAIN.distinct())).where(
    User.partner_id == bindparam("partner_id", type_=Uuid()), User.kind != "customer", User.email.is_not(None)
)
"""One array, for a statement that reads more besides; ``telling`` says which of them tell something."""


def telling(domains: Iterable[str] | None) -> frozenset[str]:
    """Without those where everybody may have an address."""
    return frozenset(domains or ()) - FREE_MAIL


async def telling_domains(tx: Transaction) -> frozenset[str]:
    """Those of the partner whose transaction it is."""
    return telling(await tx.session.scalar(DOMAINS, {"partner_id": tx.partner_id}))
