"""Policies: decisions of the operator as typed documents, whose versions never change (BEY-04)."""

from chassis.policies.documents import Documents, InForce, Policy, PolicyMissing, PolicyRow
from chassis.policies.kinds import Kinds

__all__ = ["Documents", "InForce", "Kinds", "Policy", "PolicyMissing", "PolicyRow"]
