"""Settings of a service: where its database and its topics are, and with which passwords it enters."""

from pydantic import Field, SecretStr

from chassis.database.settings import DatabaseSettings, Login
from chassis.environment import ProcessSettings


class ServiceSettings(ProcessSettings):
    """What a service with a database and topics is told."""

    database_host: str = "127.0.0.1"
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str
    owner_password: SecretStr | None = None
    worker_password: SecretStr
    api_password: SecretStr
    kafka: str
    slot: str = Field(default="0", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    customers_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+$")
    """Where customers is asked who may do what; every other service has to say so, customers itself has none."""
    topic_prefix: str = Field(default="", validation_alias="PARTNERDECK_TOPIC_PREFIX", pattern=r"^[a-z0-9._-]{0,64}$")

    def database(self, service: str) -> DatabaseSettings:
        """Where the service's database is, with the logins whose passwords are known."""
        given: dict[Login, SecretStr | None] = {"owner": self.owner_password, "worker": self.worker_password, "api": self.api_password}
        return DatabaseSettings(
            service=service,
            host=self.database_host,
            port=self.database_port,
            name=self.database_name,
            passwords={login: password for login, password in given.items() if password is not None},
        )
