"""Settings of the sample programs: where their own database is, and where Partnerdeck tells what happened."""

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    database_host: str = "127.0.0.1"
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str = "billing"
    database_user: str = "billing"
    database_password: SecretStr
    kafka: str
    topic_prefix: str = Field(default="", validation_alias="PARTNERDECK_TOPIC_PREFIX")


def load() -> Settings:
    """The settings of this process. What is missing or wrong is named at once, and the process ends with 2.

    ``SIMULATOR_DATABASE_PASSWORD_FILE`` may name the file that holds the password.
    """
    try:
        return Settings(**_from_file())
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False, include_url=False):
            name = str(error["loc"][0]) if error["loc"] else ""
            variable = name if name.isupper() else f"SIMULATOR_{name.upper()}"
            sys.stderr.write(f"{variable}: {error['msg']}\n")
    raise SystemExit(2)


def _from_file() -> dict[str, Any]:
    path = os.environ.get("SIMULATOR_DATABASE_PASSWORD_FILE")
    return {"database_password": Path(path).read_text(encoding="utf-8").strip()} if path else {}
