"""Whoever's way of signing in was changed is mailed, whatever mails were chosen; an API key is mailed to administrators (ASVS 6.3.7)."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis_testing import told
from contracts.customers.users import UserCreated, UserUpdated
from contracts.envelope import encode

if TYPE_CHECKING:
    from .conftest import World


async def happened(world: "World", user_id: UUID, fact: UserUpdated | UserCreated) -> None:
    said = told.an_envelope(fact, subject=user_id, partner_id=world.partner_id, customer_id=None, version=9, at=world.clock.now())
    await world.deliver(world._placed(fact.topic, str(user_id), encode(said), fact.payload()))


async def mails(world: "World") -> list[Any]:
    return list(await world.query("select template, user_id, language, state, subject from mails where template <> 'welcome'"))


@pytest.mark.parametrize(
    ("field", "mailed"),
    [("password", "password_changed"), ("second_factor", "second_factor_changed"), ("recovery_codes", "recovery_codes_changed")],
)
async def test_a_customers_user_is_mailed_although_its_partner_gets_all_mail(world: "World", field: str, mailed: str) -> None:
    """NIST SP 800-63B: in German to who reads German; once, however often it is told."""
    await world.tell(*world.everybody(), world.customer(mode="partner_only", welcome=False))
    await world.tell(world.first_admin(status="active", language="de"))

    await happened(world, world.first_admin_id, UserUpdated(fields=[field]))
    await world.settle()

    (mail,) = await mails(world)
    assert (mail.template, mail.user_id, mail.language, mail.state) == (mailed, world.first_admin_id, "de", "sent")


async def test_a_first_password_and_a_new_name_are_no_news(world: "World") -> None:
    await world.tell(*world.everybody())

    await happened(world, world.administrator_id, UserUpdated(fields=["password", "status"]))
    await happened(world, world.administrator_id, UserUpdated(fields=["name"]))
    await world.settle()

    assert await mails(world) == []


async def test_an_api_key_is_mailed_to_the_administrators_as_soon_as_it_is_known(world: "World") -> None:
    await world.tell(*world.everybody())
    key_id = new_id()
    await happened(world, key_id, UserCreated(kind="service", role_ids=[]))
    await world.settle()
    assert await mails(world) == []

    await world.tell(world.user(key_id, kind="service", name="Billing run", email=None, status="active"))
    await world.later()

    (mail,) = await mails(world)
    assert (mail.template, mail.user_id, mail.state) == ("api_key_made", world.administrator_id, "sent")
    assert "Billing run" in mail.subject
