"""The policy documents of reporting, as rules read them (BEY-04)."""

from typing import Final

from chassis.policies import Documents, Kinds
from reporting.rules.attention_policy import AttentionPolicy
from reporting.tables.policies import PolicyDocument

documents: Final = Documents(PolicyDocument)
read: Final = documents.read
KINDS: Final = Kinds(documents, (AttentionPolicy,))
