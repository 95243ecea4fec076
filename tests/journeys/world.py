"""What a journey can do and look at: the API through the gateway, the mail that came, the topics, the billing consumer's table."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx

from chassis_testing.topics import Stood, Topics
from chassis_testing.waiting import eventually
from journeys.quiet import until_quiet
from onebox import billed, people
from onebox.api import Api, Refused
from onebox.mail import Mail
from onebox.people import NORTHWIND
from onebox.suite import Suite

LINK: Final = re.compile(r"/welcome#\S*?token=([\w.~-]+)")
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class World:
    suite: Suite
    http: httpx.AsyncClient

    async def operator(self) -> Api:
        """The operator, signed in anew: a token is good for five minutes, and journeys last longer."""
        return await self.patiently(lambda: Api(self.http).signed_in(*self.suite.operator))

    async def partner(self) -> Api:
        """The partner, signed in anew."""
        return await self.patiently(lambda: Api(self.http).signed_in(NORTHWIND.email, people.PASSWORD))

    async def patiently[T](self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until somebody answers: a door that is closed for a moment is tried again, as a client does."""

        async def once() -> list[T]:
            try:
                return [await ask()]
            except (httpx.TransportError, Refused) as failure:
                if isinstance(failure, Refused) and failure.status < 500:
                    raise
                raise AssertionError(str(failure)) from failure

        return (await eventually(once, within=PATIENCE))[0]

    async def until_ready(self) -> None:
        """Wait until every service is ready again, as the gateway says."""

        async def ready() -> bool:
            return (await self.http.get("/health/ready")).is_success

        await eventually(ready, within=PATIENCE)

    def company(self, name: str, **more: Any) -> dict[str, Any]:
        """A customer that no other journey has."""
        return people.customer(f"{name} {uuid4().hex[:8]}", "Mia Maple", **more)

    async def trial_of(self, partner: Api, customer_id: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            items = (await partner.get("/v1/subscriptions", customer_id=customer_id))["items"]
            assert len(items) <= 1, items
            return items[0] if items else None

        found = await eventually(lambda: self.patiently(look), within=PATIENCE)
        assert found is not None
        return found

    async def overview_of(self, partner: Api, company: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            items = (await partner.get("/v1/customer-overview", q=company))["items"]
            return items[0] if items else None

        found = await eventually(lambda: self.patiently(look), within=PATIENCE)
        assert found is not None
        return found

    async def until_quiet(self) -> None:
        """Wait until nothing is on its way any more: what is there then is all there will be."""
        await until_quiet(self.suite, within=PATIENCE)

    async def mails_about(self, company: str, at_least: int = 1) -> list[Mail]:
        async def look() -> list[Mail]:
            mails = [mail for mail in await asyncio.to_thread(self.suite.mails) if company in mail.text]
            assert len({mail.headers["Message-ID"] for mail in mails}) >= at_least, mails
            return mails

        return await eventually(look, within=PATIENCE)

    async def told(self, topic: str, customer_id: str) -> list[Stood]:
        """Every record of a topic about one customer, each event once: delivery is at least once."""
        stood = await Topics(self.suite.kafka, "").everything(topic)
        return list({one.envelope.id: one for one in stood if str(one.envelope.customer_id) == customer_id}.values())

    async def billed(self, subscription_id: str) -> list[dict[str, Any]]:
        """What the sample billing consumer has written down about a subscription."""
        return [line for line in await billed.lines(self.suite.home) if line["subscription_id"] == subscription_id]
