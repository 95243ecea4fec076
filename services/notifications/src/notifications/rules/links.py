"""Addresses of links that let somebody in, confirm something or answer a question; made when a mail is rendered, kept nowhere.

The token stands behind the ``#``: a browser sends that to no server, so it is in no log of any.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from chassis.links import link_token

type Deed = Literal["password", "email", "undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """``public_url`` is where readers of mails reach the gateway; ``key`` is the one customers checks tokens with."""

    public_url: str
    key: bytes

    def set_password(self, link_id: UUID, language: str) -> str:
        """Where a password is set, in the reader's language."""
        return self.to("password", link_id, language)

    def to(self, deed: Deed, link_id: UUID, language: str) -> str:
        return f"{self.public_url}/welcome#do={deed}&lang={language}&token={link_token(self.key, link_id)}"

    def answer(self, consent_id: UUID, language: str) -> str:
        return f"{self.public_url}/consent#lang={language}&token={link_token(self.key, consent_id)}"
