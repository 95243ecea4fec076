"""The environment: what a process is told by it, read once at start, frozen.

A secret may come from a file instead: ``CUSTOMERS_API_PASSWORD_FILE`` names it. All that is
missing or wrong is named at once, never its value.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, override

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class EnvironmentSettings(BaseSettings):
    """What any process or command is told. A subclass sets ``model_config = SettingsConfigDict(env_prefix="GATEWAY_")``."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Files(settings_cls)


class ProcessSettings(EnvironmentSettings):
    """What every process that answers HTTP is told."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    keys_url: str | None = None
    log_format: Literal["json", "console"] = Field(default="json", validation_alias="PARTNERDECK_LOG_FORMAT")
    traces_url: str | None = Field(default=None, validation_alias="PARTNERDECK_TRACES_URL", pattern=r"^https?://")
    """Where a collector takes traces by OTLP over HTTP, ``http://collector:4318/v1/traces``; nothing is recorded without."""
    traces_share: float = Field(default=0.01, ge=0, le=1, validation_alias="PARTNERDECK_TRACES_SHARE")


def load[S: BaseSettings](settings: type[S]) -> S:
    """The settings of this process. Where some are missing or wrong it says which, all at once, and exits with 2."""
    made: S | None = None
    problems: dict[str, str] = {}
    try:
        made = settings()
    except ValidationError as wrong:
        problems = _wrong(settings, wrong)
    problems |= _unreadable(settings)
    if made is None or problems:
        sys.stderr.writelines(f"{variable} {problem}\n" for variable, problem in problems.items())
        raise SystemExit(2)
    return made


class _Files(PydanticBaseSettingsSource):
    """``<VARIABLE>_FILE`` names the file that holds a setting; the setting itself wins."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{_variable(self.settings_cls, field_name)}_FILE")
        with suppress(OSError, UnicodeDecodeError):  # said by ``_unreadable``, with all the rest
            return (_read(path) if path else None), field_name, False
        return None, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def _variable(settings: type[BaseSettings], field: str) -> str:
    info = settings.model_fields.get(field)
    if info is not None and isinstance(info.validation_alias, str):
        return info.validation_alias
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").rstrip("\r\n")


def _unreadable(settings: type[BaseSettings]) -> dict[str, str]:
    """What is wrong with files that are to hold settings, by the setting's variable."""
    problems = {}
    for variable in (_variable(settings, field) for field in settings.model_fields):
        try:
            _read(os.environ.get(f"{variable}_FILE") or os.devnull)
        except (OSError, UnicodeDecodeError) as unreadable:
            problems[variable] = f"is to be in a file that cannot be read ({variable}_FILE): {type(unreadable).__name__}"
    return problems


def _wrong(settings: type[BaseSettings], wrong: ValidationError) -> dict[str, str]:
    problems = {}
    for error in wrong.errors(include_input=False, include_url=False):
        variable = _variable(settings, str(error["loc"][0]) if error["loc"] else "")
        problems[variable] = f"is missing (or {variable}_FILE)" if error["type"] == "missing" else f"is not valid: {error['msg']}"
    return problems
