"""Savepoints whose names come again.

SQLAlchemy numbers savepoints, so each is a new statement that PostgreSQL parses anew and that
drives useful ones out of the cache of prepared statements: four round trips more per item of a
worker. With sixteen names they are prepared once. One that was rolled back is released too, so
a name always means the innermost savepoint that is open.
"""

from typing import Final, override

from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

DRIVER: Final = "postgresql+again"
_NAMES: Final = 16


class Dialect(PGDialect_asyncpg):
    """PostgreSQL by asyncpg, with few names for savepoints."""

    supports_statement_cache = True

    @override
    def do_savepoint(self, connection: Connection, name: str) -> None:
        super().do_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]

    @override
    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        super().do_rollback_to_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]
        super().do_release_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]

    @override
    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        super().do_release_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]


def _again(name: str) -> str:
    """``sa_savepoint_17`` is ``item_1``."""
    return f"item_{int(name.rpartition('_')[2]) % _NAMES}"


registry.register("postgresql.again", __name__, Dialect.__name__)
