"""Policy documents: what the operator decided for everybody. Shared."""

from chassis.database.tables import Base
from chassis.policies import PolicyRow


class PolicyDocument(PolicyRow, Base):
    """A version; the highest of a kind is in force."""
