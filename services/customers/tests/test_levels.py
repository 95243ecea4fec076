"""Which level somebody has is one answer, wherever it is worked out: for a list, for one customer, for an explanation (CUS-85 to CUS-91).

Worlds of roles, customers and tags are made at random, and judged here once more, by the rule's own words: a user may have
several roles, the highest level wins; inside a role an explicit customer, then a tag (the highest), then *All customers*, then the default.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.access.rights import CustomerNotFound, ReadOnly, Rights, require_level, rights_of
from chassis.database import Read, Transaction
from chassis.http.lists import Wanted
from chassis.ids import new_id
from chassis_testing.database import reading
from contracts.customers.roles import Level
from customers import access, customer_list
from customers.tables.customers import Customer
from customers.tables.roles import Role
from customers_testing.builders import a_customer, a_partner, a_user, for_company

LEVELS: tuple[Level, ...] = ("none", "read", "read_write")
TAGS = ("gold", "north", "vip")
WORLDS = 60
RETAGGED = text("update customers set tags = :tags where partner_id = :partner and id = :id")
ASSIGNED = text("update users set role_ids = :roles where partner_id = :partner and id = :id")


@dataclass(frozen=True)
class World:
    """What is at random: tags of each customer, and roles."""

    customers: Mapping[UUID, Sequence[str]]
    roles: Sequence[Role]


def naive(world: World, customer_id: UUID) -> Level:
    return LEVELS[max((LEVELS.index(in_role(role, customer_id, world.customers[customer_id])) for role in world.roles), default=0)]


def in_role(role: Role, customer_id: UUID, tags: Sequence[str]) -> Any:
    for named, level in role.customers.items():
        if named == str(customer_id):
            return level
    tagged = [level for tag, level in role.tags.items() if tag in tags]
    for level in reversed(LEVELS):
        if level in tagged:
            return level
    return role.default_level if role.all_customers is None else role.all_customers


def a_world(chance: random.Random, partner_id: UUID, customers: Sequence[Customer]) -> World:
    def some(names: Sequence[str]) -> dict[str, Level]:
        return {name: chance.choice(LEVELS) for name in names if chance.random() < 0.4}

    roles = [
        Role(
            partner_id=partner_id,
            id=new_id(),
            name=f"Role {new_id()}",
            predefined=False,
            permissions=[],
            all_customers=chance.choice((None, *LEVELS)),
            default_level=chance.choice(LEVELS),
            customers=some([str(one.id) for one in customers]),
            tags=some(TAGS),
        )
        for _ in range(chance.randrange(4))
    ]
    return World({one.id: [tag for tag in TAGS if chance.random() < 0.4] for one in customers}, roles)


async def come_true(tx: Transaction, user_id: UUID, world: World) -> None:
    tx.session.add_all(world.roles)
    await tx.session.flush()
    whose = {"partner": tx.partner_id, "id": user_id}
    await tx.session.execute(ASSIGNED, whose | {"roles": [role.id for role in world.roles]})
    for customer_id, tags in world.customers.items():
        await tx.session.execute(RETAGGED, whose | {"id": customer_id, "tags": list(tags)})


async def demanded(read: Read, rights: Rights, customer_id: UUID) -> Level:
    """By what is let through: a change, a look, or neither."""
    for level, write in (("read_write", True), ("read", False)):
        try:
            await require_level(read.connection.fetchrow, rights, customer_id, write=write)
        except (CustomerNotFound, ReadOnly):
            continue
        return "read_write" if level == "read_write" else "read"
    return "none"


@pytest.mark.parametrize("told", [False, True], ids=["by what is known", "by what customers said"])
async def test_every_way_of_working_it_out_gives_the_same(tx: Transaction, *, told: bool) -> None:
    """CUS-85 to CUS-91, GW-02."""
    await a_partner(tx)
    assert tx.principal is not None
    await a_user(tx, email="grace@hafen.example")
    customers = []
    for number in range(8):
        command = for_company(f"Company {number}", f"company{number}.example")
        customers.append(await a_customer(tx, company=command.company, contact=command.contact, domain=command.domain))
    chance = random.Random(7)  # noqa: S311 (the same worlds in every run)

    for _ in range(WORLDS):
        world = a_world(chance, tx.partner_id, customers)
        await come_true(tx, tx.principal.user_id, world)
        expected = {one.id: naive(world, one.id) for one in customers}
        read = await reading(tx)
        read.rights = rights = await rights_of(read.connection.fetchrow, tx.principal)
        if told:
            grants = [
                {name: getattr(role, name) for name in ("all_customers", "default_level", "customers", "tags")} for role in world.roles
            ]
            read.rights = Rights(principal=tx.principal, grants=rights.grants, told=json.dumps(grants))
        listed = {one.id for one in (await customer_list.page(read, Wanted())).items}
        explained = {one.id: await access.explain(read, tx.principal.user_id, one.id, None) for one in customers}

        assert {one.id: rights.level(one.id, world.customers[one.id]) for one in customers} == expected
        assert {one.id: await demanded(read, rights, one.id) for one in customers} == expected
        assert {one: said.level for one, said in explained.items()} == expected
        assert listed == {one for one, level in expected.items() if level != "none"}
