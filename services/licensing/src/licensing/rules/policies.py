"""The policy documents of licensing, as rules read them (BEY-04)."""

from typing import Final

from chassis.policies import Documents
from licensing.tables.policies import PolicyDocument

documents: Final = Documents(PolicyDocument, kind="name")
in_force: Final = documents.in_force
read: Final = documents.read
then: Final = documents.then
