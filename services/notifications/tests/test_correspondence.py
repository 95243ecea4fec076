"""A partner's users see what was mailed about the customers they may see, operators all of it, nobody else (NOT-12, CUS-05, CUS-85)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from joserfc.jwk import OKPKey

from chassis.database import ApiDatabase
from chassis.health import Health
from chassis.http.app import build
from chassis.http.calls import Rails
from chassis.http.lists import Listing
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.views import fitted
from contracts.root import ROOT_PARTNER_ID
from notifications.correspondence import MailView
from notifications.routes import router

if TYPE_CHECKING:
    from .conftest import MailServer, World

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)

ADA, PAULA = "ada@muellerei.example", "paula@hafen.example"

type Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(world: "World", api_database: ApiDatabase) -> AsyncIterator[Ask]:
    """Ask for the list as the partner's administrator, or as somebody else."""
    rails = Rails(database=api_database, verifier=Verifier(KeySet([KEY])), clock=world.clock)
    app = build(title="notifications", routers=[router], health=Health(), state=rails)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifications") as client:

        async def get(principal: Principal | None = None, acting_as: UUID | None = None, **params: Any) -> httpx.Response:
            mine = Principal(kind="partner", user_id=world.administrator_id, partner_id=world.partner_id, gen=1)
            token, _ = Issuer(KEY).issue(principal or mine, world.clock.now())
            headers = {"authorization": f"Bearer {token}"} | ({"partnerdeck-acting-as": str(acting_as)} if acting_as else {})
            return await client.get("/v1/notifications", params=params, headers=headers)

        yield get


async def test_what_was_mailed_is_shown_newest_first(world: "World", mail_server: "MailServer", ask: Ask) -> None:
    mail_server.answers = ["550 5.1.1 unknown"]
    await world.tell(*world.everybody(), world.customer())
    await world.settle()

    answer = await ask(customer_id=world.customer_id)

    copy, welcome = fitted(Listing[MailView], answer.content).items
    assert (welcome.state, welcome.recipient, welcome.reason) == ("failed", "customer", "550 5.1.1: 5.1.1 unknown")
    assert (copy.state, copy.recipient, copy.subject) == ("sent", "partner", "Copy: Hafen IT: the account of Müllerei Söhne GmbH is ready")
    assert answer.json()["next"] is None


async def test_the_list_is_cut_into_pages_and_filtered_by_state(world: "World", ask: Ask) -> None:
    await world.tell(*world.everybody(), world.customer(mode="partner_only"))
    await world.settle()

    first = (await ask(limit=1)).json()
    second = (await ask(limit=1, cursor=first["next"])).json()

    assert {one["items"][0]["state"] for one in (first, second)} == {"sent", "suppressed"}
    assert second["next"] is None
    assert [item["reason"] for item in (await ask(state="suppressed")).json()["items"]] == ["CUS-58"]


@pytest.mark.parametrize(
    ("sort", "first"), [("created_at", ADA), ("-created_at", PAULA), ("state", PAULA), ("-state", ADA), ("state,-created_at", PAULA)]
)
async def test_the_list_is_sorted_as_asked_and_pages_follow_each_other(world: "World", ask: Ask, sort: str, first: str) -> None:
    """NOT-12: by when a mail was written or what became of it; the cursor goes on in the same order."""
    await world.tell(*world.everybody(), world.customer(mode="partner_only"))
    await world.settle()

    one = (await ask(sort=sort, limit=1)).json()
    two = (await ask(sort=sort, limit=1, cursor=one["next"])).json()

    assert [item["address"] for item in (*one["items"], *two["items"])] == [first, *({ADA, PAULA} - {first})]
    assert (two["next"], one["items"][0]["partner_id"]) == (None, str(world.partner_id))


async def test_an_operator_reads_what_every_partner_was_mailed(world: "World", ask: Ask) -> None:
    """Operators read across partners, and as one of them when they act as it; they need no role (CUS-05, NOT-12)."""
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    first, customer_id = world.partner_id, world.customer_id
    operator = await an_operator(world)
    world.partner_id = new_id()
    await world.tell(world.partner(name="Elbe IT"))

    assert [item["partner_id"] for item in (await ask(operator)).json()["items"]] == [str(first)] * 2
    assert len((await ask(operator, customer_id=customer_id, sort="state")).json()["items"]) == 2
    assert len((await ask(operator, acting_as=first, customer_id=customer_id)).json()["items"]) == 2
    assert (await ask(operator, acting_as=world.partner_id)).json()["items"] == []
    assert (await ask(operator, acting_as=world.partner_id, customer_id=customer_id)).status_code == 404
    assert (await ask(operator, acting_as=new_id())).status_code == 404


async def an_operator(world: "World") -> Principal:
    partner_id, world.partner_id = world.partner_id, ROOT_PARTNER_ID
    told = world.user(new_id(), kind="operator", name="Olga", email="olga@partnerdeck.example", role_ids=[])
    root = world.partner(name="Root")
    state = root.state.model_copy(update={"parent_id": None, "ancestors": []})
    await world.tell(root.model_copy(update={"state": state}), told)
    world.partner_id = partner_id
    return Principal(kind="operator", user_id=told.state.id, partner_id=ROOT_PARTNER_ID, gen=1)


async def test_another_partner_sees_nothing(world: "World", ask: Ask) -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.settle()
    stranger = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    theirs, customer_id = (world.partner_id, world.administrator_id), world.customer_id
    world.partner_id, world.administrator_id, world.administrators_role_id = stranger.partner_id, stranger.user_id, new_id()
    await world.tell(world.partner(), world.role(), world.user())

    assert (await ask(stranger)).json()["items"] == []
    assert (await ask(stranger, customer_id=customer_id)).status_code == 404
    mine = Principal(kind="partner", user_id=theirs[1], partner_id=theirs[0], gen=1)
    assert len((await ask(mine)).json()["items"]) == 2


async def test_a_customer_that_a_role_hides_is_hidden_here_too(world: "World", ask: Ask) -> None:
    hiding = world.role(everything=False)
    state = hiding.state.model_copy(update={"predefined": False, "customers": {world.customer_id: "none"}})
    await world.tell(*world.everybody(), hiding.model_copy(update={"state": state}), world.customer())
    clerk = world.user(new_id(), name="Emil", email="emil@hafen.example", role_ids=[world.everyday_role_id])
    await world.tell(clerk)
    await world.settle()
    emil = Principal(kind="partner", user_id=clerk.state.id, partner_id=world.partner_id, gen=1)

    assert (await ask(emil)).json()["items"] == []
    assert (await ask(emil, customer_id=world.customer_id)).status_code == 404


async def test_a_customers_user_has_no_list(world: "World", ask: Ask) -> None:
    await world.tell(*world.everybody(), world.customer())
    await world.tell(world.first_admin(status="active"))
    ada = Principal(kind="customer", user_id=world.first_admin_id, partner_id=world.partner_id, gen=1, customer_id=world.customer_id)

    assert (await ask(ada)).status_code == 403


@pytest.mark.parametrize(
    "params",
    [
        {"state": "lost"},
        {"customer_id": "x"},
        {"limit": 0},
        {"limit": 201},
        {"cursor": "\x00"},
        {"cursor": "bm8"},
        {"sort": "address"},
        {"sort": "state,-state"},
        {"colour": "red"},
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem(world: "World", ask: Ask, params: dict[str, Any]) -> None:
    await world.tell(*world.everybody())

    answer = await ask(**params)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
