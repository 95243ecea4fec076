"""What the reporting service is told by its environment: ``REPORTING_*``."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="REPORTING_")

    customers_url: str
