"""Alembic asks for an environment file; ``chassis.database.migrate`` has configured everything already."""

from alembic import context

context.run_migrations()
