"""Every kind of policy document that licensing decides by, and what follows from another version of it."""

from typing import Final

from chassis.jobs.reach import BulkPolicy
from chassis.policies import Kinds
from licensing.rules import regranting
from licensing.rules.capabilities import CapabilityMatrix
from licensing.rules.offered import AccountMatrix
from licensing.rules.policies import documents
from licensing.rules.quotes import RatingPolicy

_SHAPES: Final = (AccountMatrix, BulkPolicy, CapabilityMatrix, RatingPolicy)
KINDS: Final = Kinds(documents, _SHAPES, then={CapabilityMatrix.kind: regranting.plan})
