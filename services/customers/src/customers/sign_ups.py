"""Signing up: anybody becomes a partner by itself, where the policy is open (CUS-71, CUS-72, CUS-81, GW-12).

Whoever signs up pays with a proof of work and is answered the same whether its address is free or not:
the request writes one row, and a worker makes the partner. Its first user gets Partner Administrator
and sets its password by a mailed link, so nobody gets in who does not read that address. A company or
a person that is like a denied party rests until an operator has looked at it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from chassis.database import ApiDatabase, Transaction
from chassis.due import DueItem, Retry
from chassis.http.views import View
from chassis.ids import new_id
from chassis.policies import InForce
from contracts.customers.partners import PartnerDisabled
from contracts.root import ROOT_PARTNER_ID
from customers.errors import EmailTaken
from customers.errors.sign_ups import SignUpClosed, TermsOutdated
from customers.rules import addresses, listed, throttling
from customers.rules.admission import Admission, admit
from customers.rules.founding import Founding, found
from customers.rules.objections import Objections
from customers.rules.proof_of_work import Challenges
from customers.rules.sign_up_policy import SignUpPolicy
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner

FOUND: Final = "partners.sign_up"
PURPOSE: Final = "sign-up"
FREE_OF_ADDRESS: Final = 5
_POLICY: Final = text("select door.sign_up_policy_in_force()")
_ASK: Final = text("select door.ask_sign_up(:partner, :at, :said)").bindparams(bindparam("said", type_=JSONB))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What somebody says of its company and of itself, and the version of the terms that it accepts."""

    company_name: str
    country: str
    address: dict[str, str | None]
    contact_name: str
    email: str
    phone: str | None
    language: str
    time_zone: str
    terms_version: str


class SignUpChallengeView(View, frozen=True, kw_only=True):
    """What a sign-up form shows and needs: the terms to accept, and a challenge for ALTCHA's widget."""

    terms_version: str
    terms_text: str
    terms_url: str | None
    challenge: dict[str, Any]


async def challenge(database: ApiDatabase, challenges: Challenges, now: datetime) -> SignUpChallengeView:
    """A challenge to solve, beside the terms.

    Raises:
        SignUpClosed: nobody signs up by itself.
    """
    policy = (await _policy(database)).policy
    return SignUpChallengeView(
        terms_version=policy.terms_version,
        terms_text=policy.terms_text,
        terms_url=policy.terms_url,
        challenge=challenges.make(policy.effort, now),
    )


async def ask(database: ApiDatabase, challenges: Challenges, now: datetime, command: SignUp, *, proof: str, address: str | None) -> None:
    """Ask to become a partner.

    Raises:
        SignUpClosed: nobody signs up by itself.
        TooManyAttempts: too many came from there.
        ProofNotAccepted: nobody worked for it.
        TermsOutdated: other terms are in force.
        NotAcceptable: the phone number or the website is none.
    """
    by = await _policy(database)
    await throttling.admit_request(database, PURPOSE, address, now, free=FREE_OF_ADDRESS)
    objections = Objections()
    if command.terms_version != by.policy.terms_version:
        objections.against(TermsOutdated, "/terms/version", by=by)
    kept = addresses.kept({**command.address, "phone": command.phone}, command.country, objections, phone_at="/contact/phone")
    objections.refuse()
    await challenges.spend(database, proof, now)
    said = asdict(command) | {"phone": kept.pop("phone"), "address": kept}
    async with database.at_the_door() as door:
        await door.execute(_ASK, {"partner": new_id(), "at": now, "said": said})


async def make(tx: Transaction, item: DueItem) -> None:
    """Make the partner that somebody asked for, unless its address is somebody's already: then nobody learns of it.

    Raises:
        Retry: somebody came first by that address in this moment.
    """
    said = SignUp(**item.payload)
    taken = func.door.taken_emails(bindparam("emails", [said.email.lower()], type_=ARRAY(Text)), type_=ARRAY(Text))
    if (await tx.session.execute(select(taken))).scalar_one():
        return
    try:
        async with tx.part() as part:
            await _found(part, said)
    except EmailTaken as taken_now:
        raise Retry("the address was taken meanwhile") from taken_now


async def _found(tx: Transaction, said: SignUp) -> None:
    founding = Founding(
        name=said.company_name,
        country=said.country,
        language=said.language,
        time_zone=said.time_zone,
        address={**said.address, "phone": said.phone},
        ancestors=(ROOT_PARTNER_ID,),
    )
    partner, roles = await found(tx, founding)
    await admit(
        tx,
        Admission(
            kind="partner",
            name=said.contact_name,
            email=said.email,
            language=said.language,
            user_id=tx.new_id(),
            role_ids=(roles.partner_administrator.id,),
            link_id=tx.new_id(),
        ),
    )
    await _keep(tx, partner, said)


async def _keep(tx: Transaction, partner: Partner, said: SignUp) -> None:
    """What the partner said beyond its profile, and whom it may be."""
    partner.terms_version, partner.terms_accepted_at = said.terms_version, tx.now
    partner.held_for = await _alike(tx, said)
    if partner.held_for:
        partner.status, partner.disabled_by = "disabled", ROOT_PARTNER_ID
    await tx.session.flush()
    tell_partner(tx, partner, *([PartnerDisabled(disabled_by=ROOT_PARTNER_ID)] if partner.held_for else []))


async def _alike(tx: Transaction, said: SignUp) -> list[str]:
    """The denied parties that the company or its contact is like, as their lists call them."""
    loads = (await tx.session.execute(select(listed.LOADS.scalar_subquery()))).scalar_one()
    index = await listed.parties(tx, loads)
    return sorted({match.party.entry for name in (said.company_name, said.contact_name) for match in index.matches(name)})


async def _policy(database: ApiDatabase) -> InForce[SignUpPolicy]:
    async with database.at_the_door() as door:
        said = (await door.execute(_POLICY)).scalar_one()
    by = InForce.among(said if isinstance(said, dict) else msgspec.json.decode(said), SignUpPolicy)
    if not by.policy.open:
        raise SignUpClosed(policy_version=str(by.version))
    return by
