"""A service that is told too little says so, all at once, and says no secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from chassis.environment import load
from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="HOUSES_")

    signing_key: SecretStr


COMPLETE = {
    "HOUSES_DATABASE_NAME": "houses",
    "HOUSES_WORKER_PASSWORD": "w",
    "HOUSES_API_PASSWORD": "a",
    "HOUSES_KAFKA": "127.0.0.1:9092",
    "HOUSES_HTTP_PORT": "8001",
    "HOUSES_SIGNING_KEY": "k",
    "PARTNERDECK_TOPIC_PREFIX": "t1.",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("told")
def test_settings_come_from_the_environment() -> None:
    settings = load(Settings)

    assert (settings.http_port, settings.topic_prefix, settings.log_format, settings.keys_url) == (8001, "t1.", "json", None)
    database = settings.database("houses")
    assert (database.host, database.port, database.name, sorted(database.passwords)) == ("127.0.0.1", 5432, "houses", ["api", "worker"])


def test_a_secret_may_come_from_a_file(told: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    told.delenv("HOUSES_SIGNING_KEY")
    told.setenv("HOUSES_SIGNING_KEY_FILE", str(tmp_path / "key"))

    assert load(Settings).signing_key.get_secret_value() == "from the file"


def test_files_that_are_not_there_or_hold_no_text_are_named_with_all_the_rest(
    told: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    told.delenv("HOUSES_SIGNING_KEY")
    told.delenv("HOUSES_KAFKA")
    told.setenv("HOUSES_SIGNING_KEY_FILE", str(tmp_path / "nowhere"))
    told.setenv("HOUSES_API_PASSWORD_FILE", str(tmp_path / "binary"))

    with pytest.raises(SystemExit) as left:
        load(Settings)

    assert left.value.code == 2
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "HOUSES_API_PASSWORD is to be in a file that cannot be read (HOUSES_API_PASSWORD_FILE): UnicodeDecodeError",
        "HOUSES_KAFKA is missing (or HOUSES_KAFKA_FILE)",
        "HOUSES_SIGNING_KEY is to be in a file that cannot be read (HOUSES_SIGNING_KEY_FILE): FileNotFoundError",
    ]


def test_all_that_is_missing_or_wrong_is_named_at_once(told: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told.delenv("HOUSES_KAFKA")
    told.delenv("HOUSES_SIGNING_KEY")
    told.setenv("HOUSES_HTTP_PORT", "hunter2")
    told.setenv("PARTNERDECK_LOG_FORMAT", "xml")

    with pytest.raises(SystemExit) as left:
        load(Settings)

    said = capsys.readouterr().err
    assert left.value.code == 2
    for line in (
        "HOUSES_KAFKA is missing (or HOUSES_KAFKA_FILE)",
        "HOUSES_SIGNING_KEY is missing",
        "HOUSES_HTTP_PORT is not valid",
        "PARTNERDECK_LOG_FORMAT is not valid",
    ):
        assert line in said
    assert "hunter2" not in said


@pytest.mark.usefixtures("told")
def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load(Settings).http_port = 1  # type: ignore[misc]
