"""Proofs: a domain is the partner's because its DNS says what only the partner was told to put there (MKT-18).

It counts from the look-up that finds the record, and is looked up again when its time has come: not found twice in
a row, it counts no longer. Whoever asks looks before its transaction begins. The operator's word takes a proof's place.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from chassis.due import Due, DueItem
from chassis.http.etags import Seen
from customers.errors.single_sign_on import ConnectionNotFound, DomainTaken, DomainVerified, NotProvable, ProofNotFound
from customers.rules import policies, sign_in_domains
from customers.rules.domains import registrable
from customers.rules.sign_on_policy import SignOnPolicy
from customers.rules.text_records import PATIENCE, Challenge, TextRecords
from customers.tables.domain_proofs import DomainProof
from customers.tables.sso_connections import SsoConnection

LOOK_AGAIN: Final = "domain_proof.look_again"
ENDS_AFTER: Final = 2
"""Look-ups in a row that do not find the record."""
_OUTSIDE: Final = timedelta(seconds=PATIENCE + 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskProof:
    connection_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """``problem`` is the code of what the look-up found wrong."""

    connection_id: UUID
    proof_id: UUID
    seen: Seen
    problem: str | None


async def ask(tx: Transaction, command: AskProof) -> DomainProof:
    """Say what is to be put into the domain's DNS. Whoever asks again is told the same.

    Raises:
        ConnectionNotFound: there is none.
        DomainTaken: the connection does not ask for the domain.
        NotProvable: everybody may register names below it.
        DomainVerified: it counts already, by the operator's word.
    """
    connection = await sign_in_domains.hold(tx, command.connection_id)
    if command.domain not in connection.domains:
        raise DomainTaken
    if registrable(command.domain) is None:
        raise NotProvable(errors=[NotProvable.at("/domain")])
    of = select(DomainProof).where(DomainProof.partner_id == tx.partner_id, DomainProof.connection_id == connection.id)
    standing = (await tx.session.scalars(of.where(DomainProof.domain == command.domain))).one_or_none()
    if standing is not None:
        return standing
    if command.domain in connection.verified:
        raise DomainVerified
    proof = DomainProof(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        connection_id=connection.id,
        domain=command.domain,
        record_value=f"partnerdeck-domain={secrets.token_urlsafe(24)}",
        state="asked",
        asked_at=tx.now,
    )
    tx.session.add(proof)
    await tx.session.flush()
    return proof


async def conclude(tx: Transaction, command: Conclude) -> DomainProof:
    """Keep what a look-up found. One that somebody asks for ends no proof that counts; only repeated ones do.

    Raises:
        ConnectionNotFound: there is none.
        ProofNotFound: there is no such proof.
        DomainTaken: the domain counts for another connection.
    """
    connection = await sign_in_domains.hold(tx, command.connection_id)
    proof = await _hold(tx, connection, command.proof_id)
    if proof is None:
        raise ProofNotFound
    command.seen.admit(proof.version)
    if command.problem is None:
        await _stands(tx, connection, proof)
    else:
        _note(tx, proof, command.problem)
        if proof.state != "verified":
            proof.state, proof.failed_at = "failed", tx.now
    await tx.session.flush()
    return proof


async def look_again(tx: Transaction, item: DueItem, *, records: TextRecords) -> None:
    """Look whether the record still stands. A proof that is gone, or ended meanwhile, is left as it is."""
    known = await tx.session.get(DomainProof, (tx.partner_id, item.subject))
    if known is None or known.state != "verified":
        return
    problem = await records.wrong_with(Challenge(known.domain, known.record_value))
    try:
        connection = await sign_in_domains.hold(tx, known.connection_id)
    except ConnectionNotFound:
        return
    proof = await _hold(tx, connection, item.subject)
    if proof is None or proof.state != "verified":
        return
    if problem is None:
        await _stands(tx, connection, proof)
    else:
        await _missed(tx, connection, proof, problem)
    await tx.session.flush()


def due_work(records: TextRecords) -> Due:
    return Due(LOOK_AGAIN, partial(look_again, records=records), outside=_OUTSIDE)


async def _hold(tx: Transaction, connection: SsoConnection, proof_id: UUID) -> DomainProof | None:
    found = select(DomainProof).where(DomainProof.partner_id == tx.partner_id, DomainProof.connection_id == connection.id)
    one = found.where(DomainProof.id == proof_id).with_for_update().execution_options(populate_existing=True)
    return (await tx.session.scalars(one)).one_or_none()


async def _stands(tx: Transaction, connection: SsoConnection, proof: DomainProof) -> None:
    await sign_in_domains.count(tx, connection, proof.domain)
    _note(tx, proof, None)
    proof.state, proof.verified_at, proof.failed_at, proof.failures = "verified", proof.verified_at or tx.now, None, 0
    rules = await policies.in_force(tx, SignOnPolicy)
    await due.plan(tx, LOOK_AGAIN, proof.id, slot="next", at=tx.now + rules.policy.recheck_after)


async def _missed(tx: Transaction, connection: SsoConnection, proof: DomainProof, problem: str) -> None:
    _note(tx, proof, problem)
    proof.failures += 1
    if proof.failures >= ENDS_AFTER:
        proof.state, proof.verified_at, proof.failed_at, proof.failures = "failed", None, tx.now, 0
        await sign_in_domains.end(tx, connection, proof.domain)
        return
    rules = await policies.in_force(tx, SignOnPolicy)
    await due.plan(tx, LOOK_AGAIN, proof.id, slot="next", at=tx.now + rules.policy.again_after)


def _note(tx: Transaction, proof: DomainProof, problem: str | None) -> None:
    proof.checked_at, proof.problem = tx.now, problem
