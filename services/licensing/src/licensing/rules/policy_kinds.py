"""Every kind of policy document that licensing decides by, and what follows from another version of it."""

from typing import Final

from chassis.policies import Kinds
from licensing.rules import regranting
from licensing.rules.capabilities import CapabilityMatrix
from licensing.rules.policies import documents
from licensing.rules.quotes import RatingPolicy

KINDS: Final = Kinds(documents, (CapabilityMatrix, RatingPolicy), then={CapabilityMatrix.kind: regranting.plan})
