"""Addresses of links that let somebody set a password, or answer a question; made when a mail is rendered, kept nowhere."""

from dataclasses import dataclass
from uuid import UUID

from chassis.links import link_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """``public_url`` is where readers of mails reach the gateway; ``key`` is the one customers checks tokens with."""

    public_url: str
    key: bytes

    def set_password(self, link_id: UUID) -> str:
        return f"{self.public_url}/welcome?token={link_token(self.key, link_id)}"

    def answer(self, consent_id: UUID) -> str:
        return f"{self.public_url}/consent?token={link_token(self.key, consent_id)}"
