"""Sign-in rules: whether a partner requires a second factor of its own users, and of those of every partner below it (MKT-04).

They are part of the partner's state, so every service holds its users to them within five seconds:
who must have one and has none can do nothing but enrol it. Customers' users choose for themselves.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading, Transaction
from chassis.http.etags import Seen
from chassis.http.views import View
from contracts.customers.partners import PartnerUpdated, SecondFactorRule
from customers.errors import PartnerNotFound
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSignInRules:
    """``seen`` is the version of the partner that the caller has seen."""

    seen: Seen
    second_factor: SecondFactorRule
    second_factor_below: SecondFactorRule


class SignInRulesView(View, frozen=True, kw_only=True):
    """``second_factor`` is asked of the partner's own users, ``second_factor_below`` of those of every partner below it."""

    second_factor: SecondFactorRule
    second_factor_below: SecondFactorRule


def _rules(relation: FromClause, _shape: object) -> Select[Any]:
    return select(*SignInRulesView.columns(relation), relation.c.version).where(relation.c.id == bindparam("id"))


_RULES: Final = Reading(Partner, _rules)


async def rules(read: Read) -> tuple[SignInRulesView, int]:
    """The partner's rules, and its version.

    Raises:
        PartnerNotFound: there is none that the reader sees.
    """
    row = await read.row(_RULES, id=read.partner_id)
    if row is None:
        raise PartnerNotFound
    return SignInRulesView.of(row), row["version"]


async def put(tx: Transaction, command: SetSignInRules) -> Partner:
    """Set the partner's rules. What they are already is told to nobody.

    Raises:
        PartnerNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    mine = select(Partner).where(Partner.partner_id == tx.partner_id, Partner.id == tx.partner_id).with_for_update()
    partner = (await tx.session.scalars(mine)).one_or_none()
    if partner is None:
        raise PartnerNotFound
    command.seen.admit(partner.version)
    wanted = {"second_factor": command.second_factor, "second_factor_below": command.second_factor_below}
    changed = sorted(name for name, rule in wanted.items() if getattr(partner, name) != rule)
    if changed:
        partner.second_factor, partner.second_factor_below = command.second_factor, command.second_factor_below
        partner.updated_at = tx.now
        await tx.session.flush()
        tell_partner(tx, partner, PartnerUpdated(fields=changed))
    return partner
