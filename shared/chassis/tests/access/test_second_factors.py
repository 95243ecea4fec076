"""Whoever must have a second factor and has none is let in by no service, whether it was told of it or asks (MKT-04)."""

from datetime import timedelta

import pytest
from house.confirming import World

from chassis.access import tables
from chassis.ids import new_id

OLD = timedelta(seconds=5)
REFUSED = (403, "second_factor_required")


async def outcomes(world: World) -> list[tuple[int, str | None]]:
    """What comes of a change and of reading."""
    answers = [await world.post(), await world.get()]
    return [(answer.status_code, answer.json()["code"] if answer.is_error else None) for answer in answers]


async def test_a_partners_own_rule_and_the_users_own_enrolment_are_followed(world: World) -> None:
    await world.here.change(tables.partners, world.user.partner_id, second_factor="required")
    assert await outcomes(world) == [REFUSED, REFUSED]

    await world.here.change(tables.users, world.user.user_id, second_factor=True)
    assert await outcomes(world) == [(201, None), (200, None)]


@pytest.mark.parametrize(("own", "below", "refused"), [("required", "optional", False), ("optional", "required", True)])
async def test_a_rule_from_above_is_for_those_below(world: World, own: str, below: str, *, refused: bool) -> None:
    """Nobody sees the partners above its own; that one of them requires it is known all the same."""
    above = new_id()
    row = {"partner_id": above, "id": above, "ancestors": [], "status": "active", "shut_out": False}
    await world.here.put(tables.partners, **row, second_factor=own, second_factor_below=below)
    await world.here.change(tables.partners, world.user.partner_id, ancestors=[above])

    assert await outcomes(world) == ([REFUSED, REFUSED] if refused else [(201, None), (200, None)])


async def test_where_nothing_arrives_any_more_customers_says_so(world: World) -> None:
    await world.customers.site.change(tables.partners, world.user.partner_id, second_factor="required")
    await world.beaten(OLD)

    assert await outcomes(world) == [REFUSED, REFUSED]
