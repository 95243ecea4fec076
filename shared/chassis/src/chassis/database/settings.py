"""Where a service's database is, and with which logins it is entered."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr
from sqlalchemy import URL

type Login = Literal["owner", "worker", "api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """One service's database. A login's name is the service's name and the login's, by convention.

    A process is given the passwords it needs and no others; ``owner`` is for ``migrate`` only.
    """

    service: str
    host: str
    port: int
    name: str
    passwords: dict[Login, SecretStr]

    def user(self, login: Login) -> str:
        return f"{self.service}_{login}"

    def password(self, login: Login) -> str:
        return self.passwords[login].get_secret_value()

    def reached_as(self, login: Login) -> dict[str, Any]:
        """What the driver needs to connect."""
        return {"host": self.host, "port": self.port, "database": self.name, "user": self.user(login), "password": self.password(login)}

    def url(self, login: Login) -> URL:
        return URL.create(
            "postgresql+asyncpg",
            username=self.user(login),
            password=self.password(login),
            host=self.host,
            port=self.port,
            database=self.name,
        )
