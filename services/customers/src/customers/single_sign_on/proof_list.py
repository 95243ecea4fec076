"""Proofs of domains as they are listed: what is to be put into the DNS, and what the last look-up found (MKT-18)."""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Listing
from chassis.http.views import View
from customers.errors.single_sign_on import PROBLEMS, ConnectionNotFound, ProofNotFound
from customers.rules.text_records import Challenge
from customers.tables.domain_proofs import DomainProof
from customers.tables.sso_connections import SsoConnection

type ProofState = Literal["asked", "verified", "failed"]


class DomainProblemView(View, frozen=True, kw_only=True):
    """Why a look-up did not find the record, and what to do about it."""

    code: str
    title: str
    remedy: str


class DomainProofView(View, frozen=True, kw_only=True):
    """A proof: a TXT record of `record_value` at `record_name` says that the domain is the partner's.

    `problem` is what the last look-up, at `checked_at`, found wrong.
    """

    id: UUID
    version: int
    connection_id: UUID
    domain: str
    state: ProofState
    record_name: str
    record_value: str
    asked_at: datetime
    checked_at: datetime | None
    verified_at: datetime | None
    failed_at: datetime | None
    problem: DomainProblemView | None


def _of_connection(relation: FromClause, _shape: Any) -> Select[Any]:
    mine = (relation.c.partner_id == bindparam("of"), relation.c.connection_id == bindparam("connection"))
    return select(*DomainProofView.columns(relation)).where(*mine).order_by(relation.c.domain)


def _connection(relation: FromClause, _shape: Any) -> Select[Any]:
    return select(relation.c.id).where(relation.c.partner_id == bindparam("of"), relation.c.id == bindparam("connection"))


_PROOFS: Final = Reading(DomainProof, _of_connection)
_CONNECTION: Final = Reading(SsoConnection, _connection)


async def every(read: Read, connection_id: UUID) -> Listing[DomainProofView]:
    """The proofs that were asked for a connection's domains.

    Raises:
        ConnectionNotFound: there is none.
    """
    if await read.row(_CONNECTION, of=read.partner_id, connection=connection_id) is None:
        raise ConnectionNotFound
    rows = await read.rows(_PROOFS, of=read.partner_id, connection=connection_id)
    return Listing.whole(
        [DomainProofView.of(row, **_made(Challenge(row["domain"], row["record_value"]), row["problem"])) for row in rows],
        as_of=read.real_now,
    )


async def challenge(read: Read, connection_id: UUID, proof_id: UUID) -> Challenge:
    """What the domain's DNS is to say.

    Raises:
        ProofNotFound: there is no such proof.
    """
    rows = await read.rows(_PROOFS, of=read.partner_id, connection=connection_id)
    for row in rows:
        if row["id"] == proof_id:
            return Challenge(row["domain"], row["record_value"])
    raise ProofNotFound


def shown(proof: DomainProof) -> DomainProofView:
    """One that was just changed."""
    return DomainProofView.of_entity(proof, **_made(Challenge(proof.domain, proof.record_value), proof.problem))


def _made(asked: Challenge, problem: str | None) -> dict[str, Any]:
    found = PROBLEMS[problem]() if problem else None
    view = DomainProblemView(code=found.code, title=found.title, remedy=found.remedy) if found else None
    return {"record_name": asked.name, "problem": view}
