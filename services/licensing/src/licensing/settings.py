"""What licensing is told by its environment, prefix ``LICENSING_``."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LICENSING_")

    customers_url: str
