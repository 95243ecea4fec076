"""Which constraint the database saw broken, so that a lost race becomes a refusal with a reason (CUS-11, CUS-12)."""

from sqlalchemy.exc import IntegrityError

from chassis.database import Transaction
from customers.errors import DuplicateCompany, EmailTaken


async def settle(tx: Transaction, pointer: str) -> None:
    """Flush what keeps an address or a company. ``pointer`` is where the body says the address.

    Raises:
        EmailTaken: somebody else came first.
        DuplicateCompany: another customer is this company already.
    """
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        match broken(refused):
            case "logins_pkey":
                raise EmailTaken(errors=[EmailTaken.at(pointer)]) from refused
            case "customers_one_per_company":
                raise DuplicateCompany(errors=[DuplicateCompany.at("/company/name")]) from refused
        raise


def broken(error: IntegrityError) -> str | None:
    """The constraint's name."""
    for one in (error.orig, getattr(error.orig, "__cause__", None)):
        name = getattr(one, "constraint_name", None)
        if name is not None:
            return str(name)
    return None
