"""Logs of tests: tracebacks are plain.

structlog's own default draws every frame with the values of its variables, which takes seconds in
which nothing else of the process goes on, and holds up whatever the test is about.
"""

import structlog

from chassis import logs


def pytest_configure() -> None:
    structlog.configure(
        processors=[
            logs.merge_bound,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
