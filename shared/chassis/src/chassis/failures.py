"""What a failure means: the data's fault (park it), the world's (try again), or a defect of ours (stop and say so).

Requests, consumers, jobs and loops all ask here, so that an outage is one to each of them.

SQLSTATE decides wherever PostgreSQL was asked: 22, 23 and 42501 are the data's, as are 21 and
54 (two rows of one key in a statement, a value beyond a limit of the server); 40001, 40P01, 08,
53, 57, 58, 25006 and 55P03 the world's. What asyncpg itself refuses to send has a
SQLSTATE of its own, 22000.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import StaleDataError

from chassis.errors import Refusal

_DATA: Final = ("21", "22", "23", "42501", "54")
_WORLD: Final = ("40001", "40P01", "08", "25006", "53", "55P03", "57", "58")
OUTSIDE: Final = (
    OSError,
    KafkaError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ended while it was idle, at its next use
)
"""What a loop waits for, whatever it is: the database, the broker or the network said it, and may say something else the next time."""
_LONGEST_REASON: Final = 2000
_MOST_FAULTS: Final = 10


class Poison(Exception):
    """A record that can never take effect here."""


class Verdict(StrEnum):
    POISON = "poison"
    """Trying again could never help: park the record."""
    PASSING = "passing"
    """The world's fault, or another's who was faster: try the batch again."""
    DEFECT = "defect"
    """Nobody knows: stop, and say so."""


def judge(failure: BaseException) -> Verdict:
    """What is to be done about a failure of a handler or of its transaction."""
    if isinstance(failure, Refusal | Poison):
        return Verdict.POISON
    if isinstance(failure, OSError | KafkaError | NoConnectionFree | StaleDataError):
        return Verdict.PASSING
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return Verdict.PASSING
    for cause in _causes(failure):
        if (verdict := _by_cause(cause)) is not None:
            return verdict
    return Verdict.DEFECT


def sqlstate(failure: BaseException) -> str:
    """What PostgreSQL calls it; nothing where it was not asked."""
    return next((state for cause in _causes(failure) if (state := str(getattr(cause, "sqlstate", None) or ""))), "")


def reason_of(failure: BaseException) -> str:
    """Why, for whoever looks at what was not done; never the values of a statement or of a body, which may name people."""
    if isinstance(failure, Refusal):
        return f"{failure.code}: {failure.detail}"
    if isinstance(failure, DBAPIError) and failure.orig is not None:
        cause = failure.orig.__cause__ or failure.orig
        return f"{type(cause).__name__}: {cause.args[0] if cause.args else ''}"
    if isinstance(failure, ValidationError):
        return faults_of(failure)
    return str(failure) if isinstance(failure, Poison) else f"{type(failure).__name__}: {failure}".removesuffix(": ")


def faults_of(broken: ValidationError) -> str:
    """Where and what, without the values."""
    errors = broken.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['type']}" for error in errors[:_MOST_FAULTS])


def readable(reason: str) -> str:
    """A reason that PostgreSQL takes as text."""
    return portable(reason)[:_LONGEST_REASON]


def portable(said: str) -> str:
    """Text from outside without what PostgreSQL takes in no text: U+0000, and bytes that were no characters."""
    return said.replace("\x00", "\\0").encode("utf-8", "replace").decode()


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure itself, and what PostgreSQL's driver said underneath."""
    yield failure
    if isinstance(failure, DBAPIError) and failure.orig is not None:
        yield failure.orig
        if failure.orig.__cause__ is not None:
            yield failure.orig.__cause__


def _by_cause(cause: BaseException) -> Verdict | None:
    state = str(getattr(cause, "sqlstate", None) or "")
    if state.startswith(_DATA):
        return Verdict.POISON
    if state.startswith(_WORLD):
        return Verdict.PASSING
    if isinstance(cause, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError):
        return Verdict.PASSING
    return None
