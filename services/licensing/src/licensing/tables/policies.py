"""Policy documents: immutable versions of what was decided for every partner. Shared."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.policies import PolicyRow
from licensing.tables import Base


class PolicyDocument(PolicyRow, Base):
    """A version; the highest of a kind is in force."""

    kind: Mapped[str] = mapped_column("name", primary_key=True)
