"""The policy documents of customers, as rules read them (BEY-04).

A kind is a ``Policy`` beside the rule that it decides; its first version comes with a migration.
"""

from typing import Final

from chassis.policies import Documents
from customers.tables.policies import PolicyDocument

documents: Final = Documents(PolicyDocument)
in_force: Final = documents.in_force
at: Final = documents.at
read: Final = documents.read
