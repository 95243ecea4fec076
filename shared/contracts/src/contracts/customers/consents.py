"""Consents: what a customer was asked for, what it answered, and what became of that (BEY-14).

An import stands between two partners of whom neither may know of the other, so its consents are
told under the root party; all others under the partner that manages the customer.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, JsonObject, Part, Personal

type ConsentKind = Literal["import", "management_change", "console_launch", "communications"]
type ConsentState = Literal["requested", "granted", "declined", "expired", "revoked", "superseded"]


class Addressee(Part):
    """Who is asked by mail: the authorised person at the end company (CUS-09)."""

    company: str
    name: Personal[str]
    email: Personal[str]
    language: str


class ConsentRecorded(Fact):
    """An entry of a customer's ledger. Its token travels in no event; whoever mails the link derives it from the consent's id.

    ``number`` and ``hash`` are the entry's in the customer's chain: who keeps them can prove later that
    the chain went on from there. ``ask`` is whom a request is mailed to, null of everything else.
    """

    topic: ClassVar[str] = "consent.recorded"
    aggregate: ClassVar[str] = "consent"
    kind: ConsentKind
    state: ConsentState
    scope: JsonObject
    asked_by_partner_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    expires_at: datetime | None
    number: int
    hash: str
    ask: Personal[Addressee | None]
