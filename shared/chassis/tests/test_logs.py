"""A line of the log can be read by a machine, whoever wrote it."""

import json
import logging
from collections.abc import Iterator

import msgspec
import pytest
import structlog
from house.consuming import an_envelope
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import logs
from chassis.database import Transaction
from chassis.ids import new_id

HER = "ada@example.com"
VIOLATED = "do $$ begin raise unique_violation using detail = 'Key (email)=(ada' || '@example.com) exists.'; end $$"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)
    logs.begin()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_line_names_the_service_and_what_the_edge_has_bound(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("houses")
    logs.begin(request_id="r-1")
    logs.bind(part="houses")
    structlog.get_logger("chassis.test").info("house_sold", house_id=7)
    logging.getLogger("uvicorn.error").warning("Shutting %s", "down")
    logs.begin(request_id="r-2")
    structlog.get_logger("chassis.test").info("house_sold", house_id=8)

    sold, uvicorn, next_sold = lines(capsys)
    bound = {"service": "houses", "request_id": "r-1", "part": "houses"}
    assert (bound | {"event": "house_sold", "level": "info", "house_id": 7}).items() <= sold.items()
    assert (bound | {"event": "Shutting down", "level": "warning"}).items() <= uvicorn.items()
    assert next_sold["request_id"] == "r-2"
    assert "part" not in next_sold


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


def test_a_line_says_for_whom_something_is_done_and_what_caused_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("houses")
    cause = msgspec.structs.replace(
        an_envelope("house.built", new_id(), 1), correlation_id="r-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-00"
    )
    with logs.about(cause.partner_id, cause):
        structlog.get_logger("chassis.test").info("house_sold")
    structlog.get_logger("chassis.test").info("house_empty")

    sold, empty = lines(capsys)
    named = {"partner_id": str(cause.partner_id), "event_id": str(cause.id), "request_id": "r-1", "trace_id": "a" * 32}
    assert named.items() <= sold.items()
    assert named.keys().isdisjoint(empty)


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_what_the_database_and_the_validator_quote_is_cut(
    tx: Transaction, log_format: logs.LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row that is there already, and an input that is none, are named by the drivers; they may name people."""
    logs.configure("houses", log_format)
    log = structlog.get_logger("chassis.test")
    try:
        async with tx.session.begin_nested():
            await tx.session.execute(text(VIOLATED))
    except DBAPIError as failure:
        log.warning("insert_failed", reason=repr(failure))
        log.exception("insert_failed")
    try:
        TypeAdapter(int).validate_python(HER)
    except ValidationError:
        log.exception("input_refused")

    said = capsys.readouterr().out
    assert said.count("insert_failed") == 2
    assert "unique_violation" in said
    assert "int_parsing" in said
    assert HER not in said
