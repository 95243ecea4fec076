"""Importing: what an import is told as, and what a worker has to do for it (CUS-42 to CUS-46)."""

from typing import Final

from chassis.database import Transaction
from contracts.customers.imports import ImportFact
from customers.tables.imports import Import

ASK: Final = "import.ask"
EXPIRE: Final = "import.expire"
SETTLE: Final = "import.settle"


def tell_import(tx: Transaction, one: Import, fact: ImportFact) -> None:
    """Tell of an import what its own partner knows: flush first."""
    tx.tell(fact, about=tx.entity("import", one.id, version=one.version))
