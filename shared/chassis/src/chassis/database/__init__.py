"""The database: units of work for requests and workers, reads, tenancy."""

from chassis.database.api import ApiDatabase
from chassis.database.outbox import About
from chassis.database.reading import Read, Reading
from chassis.database.settings import DatabaseSettings
from chassis.database.transaction import Transaction
from chassis.database.worker import Work, WorkerDatabase

__all__ = ["About", "ApiDatabase", "DatabaseSettings", "Read", "Reading", "Transaction", "Work", "WorkerDatabase"]
