"""Policy documents: immutable versions of what was decided for every partner. Shared."""

from chassis.database.tables import Base
from chassis.policies import PolicyRow


class PolicyDocument(PolicyRow, Base):
    """A version; the highest of a kind is in force."""
