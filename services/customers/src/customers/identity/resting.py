"""Users of a partner put to rest, woken, and removed for good, by who manages users; nobody does it to itself (CUS-76, CUS-83).

Whatever a user holds is worth nothing from then on, in every service within five seconds. There is always an
active Partner Administrator left.
"""

from chassis.database import Transaction
from contracts.customers.users import UserDisabled as UserDisabledFact
from contracts.customers.users import UserUpdated
from customers.errors import UserDisabled
from customers.errors.identity import UserNotDisabled
from customers.rules import administrators, linking
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_user, tell_user_ending
from customers.tables.users import User


async def disable(tx: Transaction, user: User) -> None:
    """Let a user sign in no more.

    Raises:
        UserDisabled: it is so already.
        LastAdministrator: it is the only active Partner Administrator.
    """
    if user.status == "disabled":
        raise UserDisabled
    await administrators.keep_another(tx, user)
    user.disabled_from, user.status = user.status, "disabled"
    await linking.take_back(tx, user)
    await sign_out(tx, user, "disabled")
    tell_user(tx, user, UserDisabledFact(removed=False))


async def enable(tx: Transaction, user: User) -> None:
    """Let a user sign in as before; who had set no password is invited again.

    Raises:
        UserNotDisabled: it is not disabled.
    """
    if user.status != "disabled":
        raise UserNotDisabled
    user.status, user.disabled_from = user.disabled_from or "active", None
    user.updated_at = tx.now
    if user.status == "invited":
        await linking.invite_anew(tx, user, None)
    else:
        await tx.session.flush()
        tell_user(tx, user, UserUpdated(fields=["status"]))


async def remove(tx: Transaction, user: User) -> None:
    """Remove a user for good, with its password, its sessions and its second factor. Its address is free again.

    Raises:
        LastAdministrator: it is the only active Partner Administrator.
    """
    await administrators.keep_another(tx, user)
    await sign_out(tx, user, "disabled")
    await tx.session.delete(user)
    await tx.session.flush()
    tell_user_ending(tx, user, UserDisabledFact(removed=True))
