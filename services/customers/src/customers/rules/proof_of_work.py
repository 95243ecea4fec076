"""Proofs of work: whoever is not signed in pays with computing time, and each proof is good once (GW-12).

A challenge is signed and not kept; its proof says all of it again. What was spent is remembered, as a
hash behind the door, until the challenge would be over anyway. No third party is asked.
"""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from altcha import Payload, create_challenge, verify_solution
from sqlalchemy import text

from chassis.database import ApiDatabase
from customers.errors.sign_ups import ProofNotAccepted

LIFETIME: Final = timedelta(minutes=20)
LONGEST: Final = 4000
_ALGORITHM: Final = "PBKDF2/SHA-256"
_UNTIL: Final = "until"
_SPEND: Final = text("select door.spend_proof(:proof, :at, :until)")


@dataclass(frozen=True, slots=True)
class Challenges:
    """Challenges of one purpose, signed with a key that is derived from the service's."""

    key: bytes
    purpose: str

    @property
    def _secret(self) -> bytes:
        return hmac.digest(self.key, f"proof of work: {self.purpose}".encode(), "sha256")

    def make(self, effort: int, now: datetime) -> dict[str, Any]:
        """A challenge as ALTCHA's widget takes it."""
        until = int((now + LIFETIME).timestamp())
        challenge = create_challenge(algorithm=_ALGORITHM, cost=effort, data={_UNTIL: until}, hmac_secret=self._secret)
        made: dict[str, Any] = challenge.to_dict()
        return made

    async def spend(self, database: ApiDatabase, proof: str, now: datetime) -> None:
        """Go on only with the proof of a challenge of ours, which nobody has spent.

        Raises:
            ProofNotAccepted: it is none, too old or was spent.
        """
        until = await asyncio.to_thread(self._checked, proof)
        if until is None or until <= now.timestamp():
            raise ProofNotAccepted
        spent = {"proof": hashlib.sha256(self._signature(proof)).digest(), "at": now, "until": now + LIFETIME}
        async with database.at_the_door() as door:
            if not (await door.execute(_SPEND, spent)).scalar_one():
                raise ProofNotAccepted

    def _checked(self, proof: str) -> float | None:
        """Until when a proof is good; None where it proves nothing."""
        if not verify_solution(proof, self._secret).verified:
            return None
        data = Payload.from_base64(proof).challenge.parameters.data or {}
        return float(data.get(_UNTIL, 0))

    def _signature(self, proof: str) -> bytes:
        """What two proofs of one challenge have in common."""
        return str(Payload.from_base64(proof).challenge.signature).encode()
