"""What mapped classes of every service have in common.

The classes of tables differ by their policies, which ``chassis.database.schema`` names and creates;
here is only their shape.
"""

from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMING = {
    "pk": "%(table_name)s_pkey",
    "ix": "%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
}

WITHHELD: Final = {"withheld": True}
"""``info`` of a column that is a partner's own affair: the relation that its customers' users read has none such."""

PASSING: Final = {"passing": True}
"""``info`` of a column that may name people of whom nothing else here knows yet: the audit says that it changed, and keeps no value."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        str: Text(),
        int: BigInteger(),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }

    def __init_subclass__(cls, **named: Any) -> None:
        """A package's tables are its own: two services may call theirs alike, and a run of tests imports both."""
        if cls.metadata is Base.metadata:
            cls.metadata = _metadata_of(cls.__module__.partition(".")[0])
        super().__init_subclass__(**named)


@cache
def _metadata_of(_package: str) -> MetaData:
    return MetaData(naming_convention=NAMING)


class TenantRow:
    """A row of one partner. Its key begins with the partner, so a foreign key can never point across."""

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Versioned:
    """A row whose changes are told: + 1 once per transaction, raised in the UPDATE itself.

    A change over a newer version raises ``StaleDataError`` at flush, which is a 412.
    """

    version: Mapped[int] = mapped_column(BigInteger)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
