"""Settings of notifications, from ``NOTIFICATIONS_*``."""

from email.utils import parseaddr
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """``link_key`` is the one that customers has; ``public_url`` is where readers of mails reach the gateway.

    ``smtp_hostname`` is what we call ourselves to the mail server: the domain of ``mail_from``,
    unless said otherwise. ``smtp_timeout`` is in seconds, for a whole hand-over.
    """

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_")

    customers_url: str
    link_key: SecretStr = Field(min_length=32)
    mail_from: str
    public_url: str = Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_hostname: str | None = None
    smtp_timeout: float = Field(default=20.0, gt=0, le=120)
    smtp_tls: bool = False
    smtp_starttls: bool = False
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None

    @field_validator("mail_from")
    @classmethod
    def _somebody(cls, mail_from: str) -> str:
        _, address = parseaddr(mail_from)
        local, _, domain = address.rpartition("@")
        if not (local and domain and address.isascii()) or any(ord(one) < ord(" ") for one in mail_from):
            raise ValueError("write it as Name <name@domain>")
        return mail_from

    @model_validator(mode="after")
    def _protected_login(self) -> Self:
        if self.smtp_tls and self.smtp_starttls:
            raise ValueError("smtp_tls and smtp_starttls exclude each other")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password belong together")
        if self.smtp_user and not (self.smtp_tls or self.smtp_starttls):
            raise ValueError("a login needs smtp_tls or smtp_starttls")
        return self
