"""Second factors: codes of an authenticator (TOTP, RFC 6238), and recovery codes for who has lost it (MKT-04).

A code is good for its half minute and those beside it, and once: the step of the last one used is
kept, and nothing up to it is taken again. A recovery code is good once. Both are used in one
conditional statement behind the door, so of two who send the same one is let in.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import pyotp
from sqlalchemy import text

from chassis.database import ApiDatabase
from customers.rules.keyring import Keyring

ISSUER: Final = "Partnerdeck"
STEP: Final = 30
RECOVERY_CODES: Final = 10
_DIGITS: Final = 6
_BESIDE: Final = 1
_RANDOM: Final = 10
_GROUP: Final = 4

_FIND: Final = text("select secret, confirmed_at, last_step from door.find_second_factor(:partner, :holder)")
_STEP: Final = text("select door.use_step(:partner, :holder, :step)")
_RECOVERY: Final = text("select door.use_recovery(:partner, :holder, :code)")


def new_secret() -> str:
    """160 random bits, as authenticators take them."""
    return pyotp.random_base32()


def uri(secret: str, account: str) -> str:
    """What an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime, *, after: int = 0) -> int | None:
    """The step whose code it is, of those about now and later than ``after``; None where it is none of them."""
    totp = pyotp.TOTP(secret, digits=_DIGITS, interval=STEP)
    here = int(now.timestamp()) // STEP
    fits = [
        step for step in range(here - _BESIDE, here + _BESIDE + 1) if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
    ]
    return next((step for step in fits if step > after), None)


type Used = Literal["code", "recovery_code"]
"""What somebody has shown."""


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, in groups that can be read out."""
    plain = [base64.b32encode(secrets.token_bytes(_RANDOM)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(one[at : at + _GROUP] for at in range(0, len(one), _GROUP)) for one in plain]


def recovery_hash(code: str) -> bytes:
    """A recovery code as it is stored; how it is grouped and written does not matter."""
    return hashlib.sha256("".join(code.lower().split()).replace("-", "").encode()).digest()


async def use(database: ApiDatabase, keyring: Keyring, whose: tuple[UUID, UUID], code: str, now: datetime) -> Used | None:
    """Use a code of somebody (its partner and itself) who has a second factor; None where it is wrong or was used."""
    values = {"partner": whose[0], "holder": whose[1]}
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, values)).one_or_none()
        if found is None or found.confirmed_at is None:
            return None
        secret = keyring.sealer.open(found.secret, whose[1]).decode()
        step = step_of(secret, "".join(code.split()), now, after=found.last_step)
        if step is not None:
            return "code" if (await door.execute(_STEP, values | {"step": step})).scalar_one() else None
        return "recovery_code" if (await door.execute(_RECOVERY, values | {"code": recovery_hash(code)})).scalar_one() else None
