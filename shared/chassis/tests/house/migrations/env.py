"""Alembic asks for an environment file."""

from alembic import context

context.run_migrations()
