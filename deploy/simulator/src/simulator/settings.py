"""Settings of the sample programs: where Partnerdeck is, where their own database is, and what they are known by."""

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SampleSettings(BaseSettings):
    """Of one of the sample programs. A secret may stand in a file, which ``SIMULATOR_..._FILE`` names."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class Settings(SampleSettings):
    """Of the billing consumer."""

    database_host: str = "127.0.0.1"
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str = "billing"
    database_user: str = "billing"
    database_password: SecretStr
    kafka: str
    topic_prefix: str = Field(default="", validation_alias="PARTNERDECK_TOPIC_PREFIX")


class ProductSettings(SampleSettings):
    """Of the product that answers for policies."""

    kafka: str
    topic_prefix: str = Field(default="", validation_alias="PARTNERDECK_TOPIC_PREFIX")


class ConsoleSettings(SampleSettings):
    """Of the product console. ``console_key`` is what Partnerdeck knows it by."""

    console_host: str = "127.0.0.1"
    console_port: int = Field(ge=1, le=65535)
    console_key: SecretStr
    partnerdeck_url: AnyHttpUrl


def load[S: SampleSettings](settings: type[S]) -> S:
    """The settings of this process. What is missing or wrong is named at once, and the process ends with 2."""
    try:
        return settings(**_from_files(settings))
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False, include_url=False):
            name = str(error["loc"][0]) if error["loc"] else ""
            variable = name if name.isupper() else f"SIMULATOR_{name.upper()}"
            sys.stderr.write(f"{variable}: {error['msg']}\n")
    raise SystemExit(2)


def _from_files(settings: type[SampleSettings]) -> dict[str, Any]:
    secrets = (name for name, field in settings.model_fields.items() if field.annotation is SecretStr)
    named = {name: os.environ.get(f"SIMULATOR_{name.upper()}_FILE") for name in secrets}
    return {name: Path(path).read_text(encoding="utf-8").strip() for name, path in named.items() if path}
