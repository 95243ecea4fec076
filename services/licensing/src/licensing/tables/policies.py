"""Policy documents: immutable versions of what was decided for every partner. Shared."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from licensing.tables import Base


class PolicyDocument(Base):
    """The highest version of a name is in force."""

    __tablename__ = "policies"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
