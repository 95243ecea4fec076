"""Disabling: a partner is put to rest by one above it, and serves again at any time (CUS-70).

Its users and API keys are let in nowhere, within five seconds, because every right depends on the
partner's status; its customers stay as they are, their users too, and so does what they have bought.
Who disabled it enables it, or somebody further up.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import ConsequenceView, Effect
from chassis.http.etags import Seen
from contracts.customers.partners import PartnerDisabled, PartnerEnabled
from contracts.root import ROOT_PARTNER_ID
from customers.errors.partners import DisabledFurtherUp, NotBelow, PartnerActive, PartnerAtRest
from customers.rules.holding import hold_partner
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class DisablePartner:
    seen: Seen
    confirmation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnablePartner:
    seen: Seen


async def preview(tx: Transaction) -> Effect:
    """What disabling the partner whose transaction it is would do.

    Raises:
        Refusal: disabling it would be refused, for the same reason.
    """
    return await _effect(tx, await _running(tx, Seen(None)))


async def disable(tx: Transaction, command: DisablePartner) -> Partner:
    """Put the partner whose transaction it is to rest, once that is confirmed.

    Raises:
        NotBelow: it is the caller's own, or the root party.
        PartnerAtRest: it rests already.
        ConfirmationNeeded: nobody has confirmed what happens.
    """
    above = _above(tx)
    partner = await _running(tx, command.seen)
    confirmations.require(command.confirmation, await _effect(tx, partner))
    partner.status = "disabled"
    partner.disabled_by = above
    partner.updated_at = tx.now
    await tx.session.flush()
    tell_partner(tx, partner, PartnerDisabled(disabled_by=above))
    return partner


async def enable(tx: Transaction, command: EnablePartner) -> Partner:
    """Let the partner whose transaction it is work again.

    Raises:
        NotBelow: it is the caller's own, or the root party.
        PartnerActive: it does not rest.
        DisabledFurtherUp: somebody above the caller's partner has disabled it.
    """
    above = _above(tx)
    partner = await hold_partner(tx, command.seen)
    if partner.status != "disabled":
        raise PartnerActive
    if _rank(partner, above) > _rank(partner, partner.disabled_by):
        raise DisabledFurtherUp
    partner.status = "active"
    partner.disabled_by = None
    partner.held_for = []
    partner.updated_at = tx.now
    await tx.session.flush()
    tell_partner(tx, partner, PartnerEnabled(enabled_by=above))
    return partner


async def _running(tx: Transaction, seen: Seen) -> Partner:
    """The partner, held, if it does not rest already and stands below the caller's."""
    _above(tx)
    partner = await hold_partner(tx, seen)
    if partner.status == "disabled":
        raise PartnerAtRest
    return partner


def _above(tx: Transaction) -> UUID:
    """The partner in whose name it is done."""
    above = tx.principal.partner_id if tx.principal else ROOT_PARTNER_ID
    if tx.partner_id in {above, ROOT_PARTNER_ID}:
        raise NotBelow
    return above


def _rank(partner: Partner, above: UUID | None) -> int:
    """How far from the root somebody stands above it; nobody in particular is the root."""
    return partner.ancestors.index(above) if above in partner.ancestors else 0


async def _effect(tx: Transaction, partner: Partner) -> Effect:
    mine = select(func.count()).where(User.partner_id == tx.partner_id, User.kind.in_(("partner", "service")), User.status == "active")
    users = (await tx.session.execute(mine)).scalar_one()
    return Effect(
        verb="disable_partner",
        of=partner.id,
        version=partner.version,
        consequences=[
            ConsequenceView(code="users_shut_out", detail=f"{users} users and API keys of {partner.name} are let in nowhere."),
            ConsequenceView(code="customers_stay", detail="Its customers, their users, and what they have bought, stay as they are."),
        ],
    )
