"""Houses: the feature of the tests' own service."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.database import Transaction
from chassis.database.tables import Base, TenantRow, Versioned
from house.records import HouseBuilt, HouseChanged, HouseState


class House(TenantRow, Versioned, Base):
    __tablename__ = "houses"
    customer_id: Mapped[UUID]
    name: Mapped[str]


async def build(tx: Transaction, name: str, customer_id: UUID | None = None) -> House:
    house = House(partner_id=tx.partner_id, id=tx.new_id(), customer_id=customer_id or tx.new_id(), name=name)
    tx.session.add(house)
    await tell(tx, house)
    return house


async def rename(tx: Transaction, house_id: UUID, name: str) -> House:
    house = await tx.session.get_one(House, (tx.partner_id, house_id))
    house.name = name
    await tell(tx, house)
    return house


async def tell(tx: Transaction, house: House) -> None:
    await tx.session.flush()
    about = tx.entity("house", house.id, version=house.version, customer_id=house.customer_id)
    told = tx.tell(HouseBuilt(name=house.name), about=about)
    tx.tell(HouseChanged(facts=["house.built"], state=HouseState.model_validate(house)), about=about, caused_by=[told])
