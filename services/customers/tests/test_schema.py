"""What is mapped is what migrations make: tables, columns, constraints and indexes by name."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.database import DatabaseSettings
from chassis.database.tables import NAMING, Base
from customers import tables


def mapped() -> MetaData:
    """The tables of this service alone."""
    ours = MetaData(naming_convention=NAMING)
    for module in iter_modules(tables.__path__, "customers.tables."):
        import_module(module.name)
    for mapper in Base.registry.mappers:
        if mapper.class_.__module__.startswith("customers.tables."):
            assert isinstance(mapper.local_table, Table)
            if not mapper.local_table.info.get("view"):
                mapper.local_table.to_metadata(ours)
    return ours


def differences(connection: Connection) -> list[Any]:
    ours = mapped()
    options = {"compare_type": True, "include_name": lambda name, kind, _names: kind != "table" or name in ours.tables}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), ours)
    return [one for one in found if one[0] != "remove_table_comment"]


async def test_what_is_mapped_is_what_is_migrated(fresh_database: DatabaseSettings) -> None:
    engine = create_async_engine(fresh_database.url("owner"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == [], "\n".join(map(str, found))
