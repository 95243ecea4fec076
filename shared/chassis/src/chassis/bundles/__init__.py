"""Portable bundles: a customer with its history as one signed file, to which each service that keeps something says its part (BEY-15).

A service declares its part (``Portable``: files, shapes, tables, and what is told and planned where it is imported), and has with
it the operation that says it and the command that takes it in. Customers puts the parts together and signs.
"""

from chassis.bundles.archive import Bundle
from chassis.bundles.nouns import Noun
from chassis.bundles.portable import Portable

__all__ = ["Bundle", "Noun", "Portable"]
