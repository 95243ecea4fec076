"""What customers is told by its environment."""

import base64

from pydantic import AnyHttpUrl, Field, IPvAnyAddress, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.keys import signing_key
from chassis.settings import ServiceSettings

_SHORTEST_KEY = 32
_SEALING_KEY = 32


class Settings(ServiceSettings):
    """``signing_key`` is a private Ed25519 key, PEM or JWK; ``link_key`` is shared with notifications.

    ``sealing_keys`` are 32 random bytes each, base64url, with commas between them: the first seals secrets
    in the database, all of them open what was sealed.
    ``console_url`` is where the product console signs partners in, ``console_key`` what it is known by; without both there is none.
    ``gateway_url`` is where the other services are asked for their parts of bundles; without it there are none in them.
    ``private_providers`` lets single sign-on ask providers inside one's own network, and without encryption.
    ``dns_server`` is the resolver that proofs of domains are looked up with; without it, those of the system.
    """

    model_config = SettingsConfigDict(env_prefix="CUSTOMERS_")

    signing_key: SecretStr
    link_key: SecretStr
    sealing_keys: SecretStr
    private_providers: bool = False
    dns_server: IPvAnyAddress | None = None
    dns_port: int = Field(default=53, ge=1, le=65535)
    gateway_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+$")
    console_url: AnyHttpUrl | None = None
    console_key: SecretStr | None = None

    @property
    def keys_to_seal(self) -> list[bytes]:
        return _decoded(self.sealing_keys)

    @field_validator("signing_key")
    @classmethod
    def _can_sign(cls, key: SecretStr) -> SecretStr:
        signing_key(key.get_secret_value())
        return key

    @field_validator("link_key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"at least {_SHORTEST_KEY} characters")
        return key

    @field_validator("sealing_keys")
    @classmethod
    def _can_seal(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) != _SEALING_KEY for key in _decoded(keys)):
            raise ValueError(f"{_SEALING_KEY} bytes each, base64url, with commas between them")
        return keys


def _decoded(keys: SecretStr) -> list[bytes]:
    return [base64.urlsafe_b64decode(key.strip()) for key in keys.get_secret_value().split(",")]
