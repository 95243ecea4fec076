"""Settings of the gateway: where it listens, where the services are, how much one caller may ask."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.environment import ProcessSettings


class Settings(ProcessSettings):
    """Limits are for the whole gateway; each of ``replicas`` gives its part. ``trusted_proxies`` may say whom they ask for."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    keys_url: str
    customers_url: str
    licensing_url: str
    reporting_url: str
    notifications_url: str
    partner_requests_per_second: float = Field(default=1000, gt=0)
    address_requests_per_second: float = Field(default=20, gt=0)
    user_probes_per_second: float = Field(default=2, gt=0)
    replicas: int = Field(default=1, ge=1)
    trusted_proxies: str = ""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)

    @property
    def upstreams(self) -> dict[str, str]:
        """The address of every service, by its name."""
        return {
            "customers": self.customers_url,
            "licensing": self.licensing_url,
            "reporting": self.reporting_url,
            "notifications": self.notifications_url,
        }
