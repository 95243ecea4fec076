"""A line of the log can be read by a machine, whoever wrote it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from chassis import logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_line_names_the_service_and_what_the_edge_has_bound(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("houses")
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("chassis.test").info("house_sold", house_id=7)
        logging.getLogger("uvicorn.error").warning("Shutting %s", "down")

    sold, uvicorn = lines(capsys)
    assert {"event": "house_sold", "service": "houses", "request_id": "r-1", "level": "info", "house_id": 7}.items() <= sold.items()
    assert {"event": "Shutting down", "service": "houses", "request_id": "r-1", "level": "warning"}.items() <= uvicorn.items()


def test_a_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("houses")
    structlog.get_logger("chassis.test").error("house_lost", exc_info=KeyError("\ud800"))

    (line,) = lines(capsys)
    assert "KeyError" in json.dumps(line["exception"])


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_values(log_format: logs.LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    def sign_in(password: str) -> None:
        raise LookupError(f"{len(password)} characters")

    logs.configure("houses", log_format)
    try:
        sign_in("correct horse")
    except LookupError:
        structlog.get_logger("chassis.test").exception("sign_in_failed")

    said = capsys.readouterr().out
    assert "13 characters" in said
    assert "correct horse" not in said.replace('sign_in("correct horse")', "")


def test_the_access_log_of_the_server_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("houses")
    logging.getLogger("uvicorn.access").info("GET /?q=ada@example.com")

    assert lines(capsys) == []
