"""What customers is told by its environment."""

from pydantic import SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.keys import signing_key
from chassis.settings import ServiceSettings

_SHORTEST_KEY = 32


class Settings(ServiceSettings):
    """``signing_key`` is a private Ed25519 key, PEM or JWK; ``link_key`` is shared with notifications."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERS_")

    signing_key: SecretStr
    link_key: SecretStr

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
