"""Identifiers: uuid7, so that they sort by the time they were made (RFC 9562)."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()


def new_id_as_text() -> str:
    """One that is only passed on: a sixth of the cost."""
    return str(uuid_utils.uuid7())


def made_at(uuid: UUID) -> datetime:
    """When an id was made, in real time, to the millisecond."""
    return datetime.fromtimestamp(int.from_bytes(uuid.bytes[:6]) / 1000, UTC)
