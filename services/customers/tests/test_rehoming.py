"""A customer that changes hands is its new partner's with all that is its own, and nothing of it is left with the old one (C-2, CUS-42)."""

from uuid import UUID

import pytest
from sqlalchemy import select

from chassis import due
from chassis.database import Transaction, WorkerDatabase
from chassis.due import DueRow
from chassis.ids import new_id
from contracts.customers.consents import ConsentState
from contracts.customers.customers import CustomerChanged, CustomerReviewOpened, CustomerTagged
from contracts.customers.users import UserChanged
from contracts.root import ROOT_PARTNER_ID
from customers import roles
from customers.errors import DuplicateCompany
from customers.roles import RoleSaid
from customers.rules import consenting
from customers.rules.asking import Asking, contact_of
from customers.rules.founding import Founding, found
from customers.rules.rehoming import rehome
from customers.tables.customers import Customer
from customers.tables.users import User
from customers_testing.builders import a_customer, a_partner, for_company, the_known_world
from customers_testing.http import Web, a_body, as_owner

LEFT, ARRIVED = CustomerTagged(added=[], removed=["gold"]), CustomerReviewOpened(reasons=[])


@pytest.fixture
async def partners(worker_database: WorkerDatabase) -> tuple[UUID, UUID]:
    """Two partners, of whom the first has a customer."""
    async with worker_database.work() as work:
        await the_known_world(work)
        for partner_id in (old := new_id(), new := new_id()):
            async with work.item(partner_id) as tx:
                await a_partner(tx)
        async with work.item(old) as tx:
            await a_customer(tx, tags=("gold",))
    return old, new


async def customers_of(tx: Transaction) -> Customer:
    return (await tx.session.scalars(select(Customer).where(Customer.partner_id == tx.partner_id))).one()


async def test_the_old_partner_tells_that_it_left_and_the_new_one_how_it_is(
    worker_database: WorkerDatabase, partners: tuple[UUID, UUID]
) -> None:
    old, new = partners
    async with worker_database.work() as work, work.item(old) as tx:
        customer = await customers_of(tx)
        customer.data_region = "eu"
        await tx.session.flush()
        before = customer.version
        await rehome(tx, customer, new, leaving=LEFT, arriving=ARRIVED)

        left, arrived, state, user = tx.told
        assert [one.about.version for one in (left, arrived, state)] == [before + 1] * 3
        assert [one.envelope.partner_id for one in tx.told] == [old, new, new, new]
        assert {one.envelope.data_region for one in (left, arrived, state)} == {"eu"}
        assert [type(one.record) for one in (left, arrived)] == [type(LEFT), type(ARRIVED)]
        assert isinstance(state.record, CustomerChanged)
        assert (state.record.state.partner_id, state.record.state.owner_partner_id, state.record.state.tags) == (new, old, [])
        assert isinstance(user.record, UserChanged)
        assert user.record.state.partner_id == new


async def test_its_users_logins_and_planned_work_go_along(worker_database: WorkerDatabase, partners: tuple[UUID, UUID]) -> None:
    old, new = partners
    async with worker_database.work() as work, work.item(old) as tx:
        customer = await customers_of(tx)
        await due.plan(tx, "customer.something", customer.id, slot="once", at=tx.now)
        await rehome(tx, customer, new)

    async with worker_database.direct() as connection:
        for table in ("customers", "users", "links", "eula_acceptances", "due"):
            whose = await connection.fetch(f"select partner_id from {table} where partner_id in ($1, $2)", old, new)  # noqa: S608
            assert {row["partner_id"] for row in whose} == {new}, table
    async with worker_database.work() as work, work.item(new) as tx:
        assert (await tx.session.scalars(select(User.customer_id).where(User.partner_id == new))).one() == customer.id
        assert (await tx.session.scalars(select(DueRow.subject).where(DueRow.partner_id == new))).one() == customer.id


async def test_the_old_partners_roles_name_it_no_more_and_its_rights_there_have_ended(
    worker_database: WorkerDatabase, partners: tuple[UUID, UUID]
) -> None:
    """CUS-86, BEY-12: what was recorded of it before stays with the old partner."""
    old, new = partners
    async with worker_database.work() as work, work.item(old) as tx:
        customer = await customers_of(tx)
        role = await roles.create(tx, RoleSaid(name="Night shift", customers={customer.id: "read"}))
        await rehome(tx, customer, new)

    async with worker_database.direct() as connection:
        kept = "select partner_id, state is null as ended from rights_history where subject = $1 order by version, partner_id = $2"
        moments = [(row["partner_id"], row["ended"]) for row in await connection.fetch(kept, customer.id, new)]
        assert moments == [(old, False), (old, True), (new, False)]
        assert await connection.fetchval("select customers from roles where id = $1", role.id) == "{}"


@pytest.mark.parametrize("answer", ["granted", "declined"])
async def test_what_it_answered_its_old_partner_does_not_bind_the_new_one(
    worker_database: WorkerDatabase, partners: tuple[UUID, UUID], answer: ConsentState
) -> None:
    """BEY-14: nobody has said no to the new one, and nothing was granted to it; what was granted ends without having been taken back."""
    old, new = partners
    async with worker_database.work() as work, work.item(old) as tx:
        customer = await customers_of(tx)
        asking = Asking(kind="console_launch", scope={}, partner_id=old, user_id=None, evidence={"by": "service"})
        consent = await consenting.ask(tx, customer, asking, contact_of(customer))
        await consenting.settle(tx, customer, consent, answer, evidence={"by": "service"})
        await rehome(tx, customer, new)

    async with worker_database.work() as work, work.item(new) as tx:
        assert await consenting.require(tx, await customers_of(tx), "console_launch") is None
    async with worker_database.direct() as connection:
        states = [row["state"] for row in await connection.fetch("select state from consent_entries order by number")]
        assert states == ["requested", answer, *(["superseded"] if answer == "granted" else [])]


async def test_its_people_sign_in_as_before(web: Web, worker_database: WorkerDatabase) -> None:
    partner, other = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = (await partner.post("/v1/customers", a_body())).json()
    await web.invited("ada@mueller.example")
    new = UUID((await other.get("/v1/me")).json()["partner"]["id"])

    async with worker_database.work() as work, work.item(UUID(customer["partner_id"])) as tx:
        await rehome(tx, await customers_of(tx), new)

    assert (await (await web.sign_in("ada@mueller.example")).get("/v1/me")).json()["partner"]["id"] == str(new)
    assert (await partner.get(f"/v1/customers/{customer['id']}")).json()["code"] == "customer_not_found"
    assert (await other.get(f"/v1/customers/{customer['id']}")).is_success
    assert await as_owner(web, "select count(distinct partner_id) from logins where customer_id = $1", customer["id"]) == 1


async def test_a_partner_gets_no_company_twice_and_the_root_party_any_number(
    worker_database: WorkerDatabase, partners: tuple[UUID, UUID]
) -> None:
    old, new = partners
    async with worker_database.work() as work:
        async with work.item(ROOT_PARTNER_ID) as root:
            await found(root, Founding(name="Vendor", country="DE"))
        async with work.item(new) as tx:
            await a_customer(tx, **vars_of("Müller & Söhne GmbH", "soehne.example"))
    with pytest.raises(DuplicateCompany):
        async with worker_database.work() as work, work.item(old) as tx:
            await rehome(tx, await customers_of(tx), new)

    for partner_id in partners:
        async with worker_database.work() as work, work.item(partner_id) as tx:
            await rehome(tx, await customers_of(tx), ROOT_PARTNER_ID)
    async with worker_database.work() as work, work.item(ROOT_PARTNER_ID) as tx:
        both = list(await tx.session.scalars(select(Customer).where(Customer.partner_id == ROOT_PARTNER_ID)))
        assert len(both) == 2
        await rehome(tx, both[0], old)
        assert both[0].company_key == "muller sohne gmbh"


def vars_of(name: str, domain: str) -> dict[str, object]:
    application = for_company(name, domain)
    return {"company": application.company, "contact": application.contact, "domain": application.domain}
