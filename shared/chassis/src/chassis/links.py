"""Tokens of credential links: derived from the link's id, never stored, never in an event.

Customers decides whether a link is valid and uses it once; whoever mails it derives the same
token from the id it was told. Who has neither mail nor key cannot make one.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final
from uuid import UUID

_ID: Final = 32
_LONGEST: Final = 100


def link_token(key: bytes, link_id: UUID) -> str:
    """The token that the mail of a link carries: the id and its HMAC-SHA256."""
    mac = hmac.new(key, link_id.bytes, hashlib.sha256).digest()
    return f"{link_id.hex}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def read_link_token(key: bytes, token: str) -> UUID | None:
    """The id of the link that a token was made for; None when it was not made with this key."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        link_id = UUID(hex=token[:_ID])
    except ValueError:
        return None
    return link_id if hmac.compare_digest(token, link_token(key, link_id)) else None
