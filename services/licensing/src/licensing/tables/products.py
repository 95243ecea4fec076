"""Products: what each can be set by, as the catalogue says. Shared: the same for every partner."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from licensing.tables import Base


class Product(Base):
    """``defaults`` are the settings that it is given where its partner has no default template."""

    __tablename__ = "products"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    templates: Mapped[bool]
    policies: Mapped[bool]
    firmware: Mapped[bool]
    defaults: Mapped[dict[str, Any]]
