"""A customer is deleted once its products are gone and licensing has said so, comes back until the retention is over, and never after.

CUS-60, CUS-62, CUS-63, C-2, rule 8 of section 10.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.consumers import Event
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.any.erasing import CustomerErased
from contracts.customers.offboarding import ERASERS, CustomerDeleted, CustomerDeletionRequested, CustomerPurged
from contracts.licensing.clearance import CustomerDeletionBlocked, CustomerDeletionCleared, InTheWay
from contracts.licensing.subscriptions import SubscriptionStatus
from contracts.records import Record
from customers.due import kinds
from customers.offboarding import deletion, purging
from customers.tables.known import KnownSubscription
from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner
from customers_testing.told import delivered

DAYS = timedelta(days=1)


@dataclass(slots=True)
class Going:
    """A customer of a partner's, and the other services, which the test speaks for."""

    web: Web
    partner: Web
    customer: dict[str, Any]
    worker: WorkerDatabase
    clock: FixedClock

    @property
    def path(self) -> str:
        return f"/v1/customers/{self.customer['id']}"

    async def delete(self) -> httpx.Response:
        return await self.partner.confirmed(f"{self.path}/delete", if_match="*")

    async def now(self) -> dict[str, Any]:
        return dict((await self.partner.get(self.path)).json())

    async def deletion(self) -> dict[str, Any]:
        return dict((await self.partner.get(f"{self.path}/deletion")).json())

    async def job(self, asked: httpx.Response) -> dict[str, Any]:
        return dict((await self.partner.get(asked.headers["location"])).json())

    async def hear(self, record: Record, version: int | None = None) -> None:
        """Another service tells of the customer, by default in answer to its present version."""
        if version is None:
            version = int(str(await as_owner(self.web, "select version from customers where id = $1::text::uuid", self.customer["id"])))
        heard = {CustomerDeletionCleared: deletion.cleared, CustomerDeletionBlocked: deletion.blocked, CustomerErased: purging.hear}
        about = {"customer_id": UUID(self.customer["id"]), "partner_id": UUID(self.customer["partner_id"])}
        event: Event[Any] = delivered(record, version=version, at=self.clock.now(), **about)
        async with self.worker.work() as work, work.item(event.envelope.partner_id, cause=event.envelope) as tx:
            await heard[type(record)](tx, event)

    async def told(self, kind: type[Record]) -> list[Any]:
        async with self.worker.direct() as connection:
            rows = await connection.fetch("select payload from outbox where topic = $1 order by id", kind.topic)
        return [kind.read(row["payload"]) if row["payload"] else None for row in rows]

    async def has(self, status: SubscriptionStatus = "active") -> UUID:
        """Licensing has told of a subscription."""
        row = {"customer_id": UUID(self.customer["id"]), "product": "Endpoint Security", "status": status, "partner_owned": True}
        async with self.worker.work() as work, work.item(UUID(self.customer["partner_id"])) as tx:
            known = KnownSubscription(partner_id=tx.partner_id, id=new_id(), version=1, **row)
            tx.session.add(known)
        return known.id

    async def work_off(self) -> None:
        worker = DueWorker(kinds(), self.worker, self.clock)
        while await worker.work_one():
            pass


@pytest.fixture
async def going(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> Going:
    partner = await web.a_partner()
    created = await partner.post("/v1/customers", a_body())
    return Going(web, partner, created.json(), worker_database, clock)


async def retention(web: Web, days: int) -> None:
    document = f'document || \'{{"retention": "P{days}D"}}\''
    said = f"insert into policies (kind, version, document) select kind, 2, {document} from policies where kind = 'offboarding'"  # noqa: S608
    await as_owner(web, said)


async def test_what_it_does_is_said_before_it_is_done(going: Going) -> None:
    """GW-14, CUS-63: and what was not confirmed, or confirmed otherwise, is not done."""
    path = f"{going.path}/delete"
    shown = (await going.partner.post(f"{path}/preview")).json()
    first = await going.partner.post(path, if_match="*")

    assert (first.status_code, first.json()["code"]) == (428, "confirmation_needed")
    assert [one["code"] for one in shown["consequences"]] == ["users_signed_out", "purged_later"]
    assert shown["consequences"] == first.json()["consequences"]
    await retention(going.web, 0)
    outdated = await going.partner.post(path, {"confirmation": shown["confirmation"]}, if_match="*")
    assert (outdated.status_code, outdated.json()["code"]) == (412, "confirmation_outdated")
    assert outdated.json()["consequences"][-1] == {
        "code": "not_recoverable",
        "detail": "Once deleted, the customer cannot be recovered.",
        "irreversible": True,
    }
    assert (await going.now())["status"] == "active"


async def test_live_products_are_named_at_once(going: Going) -> None:
    """CUS-62: also to whoever only asks what would happen."""
    known = await going.has("active")
    await going.has("expired")

    for path in (f"{going.path}/delete", f"{going.path}/delete/preview"):
        refused = await going.partner.post(path, if_match="*")
        assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "products_in_the_way", "CUS-62")
        assert refused.json()["products"] == [{"subscription_id": str(known), "product": "Endpoint Security", "status": "active"}]
    assert (await going.now())["status"] == "active"
    assert (await going.partner.get(f"{going.path}/deletion")).json()["code"] == "deletion_not_found"


async def test_it_waits_for_licensing_and_nobody_of_it_is_signed_in(going: Going) -> None:
    ada = await going.web.invited("ada@mueller.example")

    asked = await going.delete()

    assert (asked.status_code, asked.json()["status"]) == (202, "running")
    assert (await going.now())["status"] == "deleting"
    assert (await ada.get("/v1/me")).json()["code"] == "access_ended"
    assert (await going.web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})).status_code == 403
    (told,) = await going.told(CustomerDeletionRequested)
    assert told.preconditions == ["no_active_subscriptions", "no_pending_orders", "no_unbilled_usage"]
    again = await going.delete()
    assert (again.status_code, again.json()["code"]) == (409, "not_deletable")


async def test_cleared_it_is_deleted_and_can_be_restored_until_then(going: Going) -> None:
    asked = await going.delete()
    await going.hear(CustomerDeletionCleared())

    assert (await going.job(asked))["status"] == "done"
    assert (await going.now())["status"] == "deleted"
    (told,) = await going.told(CustomerDeleted)
    assert told.recoverable_until == going.clock.now() + 30 * DAYS
    assert (await going.partner.get("/v1/customers")).json()["items"] == []
    going.clock.move(30 * DAYS - timedelta(seconds=1))
    going.partner = await going.web.sign_in("grace@hafen.example")
    restored = await going.partner.post(f"{going.path}/restore", if_match="*")
    assert (restored.status_code, restored.json()["status"]) == (200, "active"), restored.text
    going.clock.move(DAYS)
    await going.work_off()
    going.partner = await going.web.sign_in("grace@hafen.example")
    assert (await going.now())["status"] == "active", "a purge that was withdrawn does not come"


async def test_without_retention_nothing_brings_it_back(going: Going) -> None:
    """CUS-63: rule 8."""
    await retention(going.web, 0)
    await going.delete()
    await going.hear(CustomerDeletionCleared())

    refused = await going.partner.post(f"{going.path}/restore", if_match="*")

    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "not_recoverable", "CUS-63")
    await going.work_off()
    assert (await going.partner.post(f"{going.path}/restore", if_match="*")).json()["code"] == "customer_not_found"


async def test_blocked_the_customer_goes_on_and_the_job_says_why(going: Going) -> None:
    """A product was sold in the same moment."""
    asked = await going.delete()
    sold = InTheWay(precondition="no_active_subscriptions", product="Endpoint Security", subscription_id=new_id(), status="trial")
    await going.hear(CustomerDeletionBlocked(in_the_way=[sold]))

    job = await going.job(asked)
    assert (job["status"], job["failed"], job["reason"]) == (
        *("failed", 1),
        {"code": "products_in_the_way", "detail": "The customer has Endpoint Security."},
    )
    assert (await going.now())["status"] == "active"
    assert (await going.deletion())["in_the_way"] == [sold.model_dump(mode="json")]
    await going.hear(CustomerDeletionCleared())
    assert (await going.now())["status"] == "active", "an answer that comes late changes nothing"


async def test_a_cancelled_job_leaves_the_customer_as_it_was(going: Going) -> None:
    await going.partner.confirmed(f"{going.path}/disable", if_match="*")
    asked = await going.delete()
    assert (await going.partner.post(f"{asked.headers['location']}/cancel")).is_success
    await going.hear(CustomerDeletionCleared())

    assert (await going.job(asked))["status"] == "cancelled"
    assert (await going.now())["status"] == "disabled"
    assert (await going.deletion())["status"] == "withdrawn"


async def test_an_answer_to_an_earlier_asking_counts_for_nothing(going: Going) -> None:
    await going.delete()
    await going.hear(CustomerDeletionCleared(), version=1)

    assert (await going.now())["status"] == "deleting"


async def test_of_twenty_who_delete_it_at_once_one_does(going: Going) -> None:
    answers = await asyncio.gather(*(going.delete() for _ in range(20)))

    assert Counter(one.json().get("code", "accepted") for one in answers) == {"accepted": 1, "not_deletable": 19}


async def test_a_deleted_company_may_come_anew_and_then_the_old_one_does_not(going: Going) -> None:
    await going.delete()
    await going.hear(CustomerDeletionCleared())
    anew = a_body(contact=a_body()["contact"] | {"email": "kim@mueller.example"})
    assert (await going.partner.post("/v1/customers", anew)).status_code == 201

    refused = await going.partner.post(f"{going.path}/restore", if_match="*")

    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_company")


@pytest.mark.parametrize("verb", ["delete", "restore", "unlink"])
async def test_who_asks_must_say_what_it_has_seen_and_may_remove_customers(going: Going, verb: str) -> None:
    path = f"{going.path}/{verb}"
    stranger = await going.web.a_partner("Berg IT", "berg.example")
    ada = await going.web.invited("ada@mueller.example")

    assert (await going.partner.post(path)).json()["code"] == "if_match_required"
    assert (await going.partner.post(path, if_match='"99"')).json()["code"] == "stale"
    assert (await stranger.post(path, if_match="*")).json()["code"] == "customer_not_found"
    assert (await stranger.get(f"{going.path}/deletion")).status_code == 404
    assert (await ada.post(path, if_match="*")).json()["code"] == "wrong_principal"
    await as_owner(going.web, "update roles set permissions = array_remove(permissions, 'customers.remove')")
    assert (await going.partner.post(path, if_match="*")).json()["code"] == "not_allowed"
    await as_owner(going.web, "update roles set permissions = '{customers.remove}', default_level = 'read', all_customers = null")
    assert (await going.partner.post(path, if_match="*")).json()["code"] == "read_only_access"
    await as_owner(going.web, "update roles set default_level = 'none'")
    assert (await going.partner.post(path, if_match="*")).json()["code"] == "customer_not_found"


async def test_asking_again_under_one_key_is_one_deletion(going: Going) -> None:
    shown = (await going.partner.post(f"{going.path}/delete/preview")).json()
    body, headers = {"confirmation": shown["confirmation"]}, {"if_match": "*", "idempotency_key": "once"}

    first, second = [await going.partner.post(f"{going.path}/delete", body, **headers) for _ in range(2)]

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(await going.told(CustomerDeletionRequested)) == 1


async def asked_for(going: Going) -> set[UUID]:
    """By another partner's import that it declines; and it has been a draft."""
    other = await going.web.a_partner("Werft IT", "werft.example")
    asked = (await other.post("/v1/imports", {"email": "Ada@mueller.example"})).json()["id"]
    draft = (await going.partner.post("/v1/customer-drafts", {})).json()["id"]
    await as_owner(going.web, "update customer_drafts set customer_id = $1::text::uuid", going.customer["id"])
    return {UUID(asked), UUID(draft)}


async def test_a_purge_is_open_until_every_service_has_answered(going: Going) -> None:
    """And it is asked for again while one is silent. Who asked for it by an import, and the draft it was, are told with it."""
    await going.web.invited("ada@mueller.example")
    requests = await asked_for(going)
    await going.delete()
    await going.hear(CustomerDeletionCleared())
    going.clock.move(31 * DAYS)
    going.partner = await going.web.sign_in("grace@hafen.example")
    await going.work_off()

    assert (await going.partner.get(going.path)).json()["code"] == "customer_not_found"
    shown = await going.deletion()
    assert (shown["status"], shown["waiting_for"]) == ("purging", sorted(ERASERS))
    (told,) = await going.told(CustomerPurged)
    assert len(told.user_ids) == 1
    assert set(told.request_ids) == requests
    assert await as_owner(going.web, "select (select count(*) from imports) + (select count(*) from customer_drafts)") == 0
    *answering, silent = sorted(ERASERS)
    for service in answering * 2:
        await going.hear(CustomerErased(service=service, counts={"mails": 3}), version=1)
    assert (await going.deletion())["waiting_for"] == [silent]
    going.clock.move(2 * DAYS)
    going.partner = await going.web.sign_in("grace@hafen.example")
    await going.work_off()
    assert len(await going.told(CustomerPurged)) == 2
    await going.hear(CustomerErased(service=silent, counts={}), version=1)
    shown = await going.deletion()
    assert (shown["status"], shown["waiting_for"], len(shown["erased"])) == ("purged", [], len(ERASERS))
    assert shown["erased"][0]["counts"] == {"mails": 3}
    going.clock.move(30 * DAYS)
    await going.work_off()
    assert len(await going.told(CustomerPurged)) == 2


async def test_operators_delete_as_the_partner_concerned(going: Going) -> None:
    operator = await going.web.sign_in(OPERATOR)

    refused = await operator.post(f"{going.path}/delete", if_match="*")
    asked = await operator.confirmed(f"{going.path}/delete", if_match="*", partnerdeck_acting_as=going.customer["partner_id"])

    assert refused.json()["code"] == "acting_as_needed"
    assert asked.status_code == 202, asked.text
