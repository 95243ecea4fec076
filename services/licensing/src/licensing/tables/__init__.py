"""What licensing keeps. One file per noun; ``metadata`` of its own, so that no other service's names matter here."""

from sqlalchemy import MetaData

from chassis.database.tables import NAMING
from chassis.database.tables import Base as ChassisBase


class Base(ChassisBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)
