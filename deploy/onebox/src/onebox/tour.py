"""The tour: the main job, done against the gateway as a client would, with what happens behind it shown as it happens.

A partner creates a customer with a trial; licensing starts it; the customer is mailed and sets
a password; reporting lists it; its product reports computers, and the list says who needs attention;
the trial is converted; the rated line reaches the billing consumer.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from rich.console import Console

from contracts.products.reports import Report
from onebox import billed, environment, people
from onebox.api import Api, Refused
from onebox.facts import Facts, following
from onebox.home import Home
from onebox.mail import Mail, received
from onebox.people import BISTROT, NORTHWIND
from simulator import connector

PATIENCE: Final = 30.0
_LINK: Final = re.compile(r"https?://\S+/welcome#\S*?token=([\w.~-]+)")


class TourFailed(Exception):
    """A step of the tour did not come out as it must."""


@dataclass(slots=True)
class Tour:
    """One run of the tour: its customer has a name of its own."""

    api: Api
    home: Home
    console: Console
    facts: Facts
    company: str
    customer_id: str = ""
    told: set[str] = field(default_factory=set)
    """Types of the facts that were shown."""

    def step(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/]")

    def show(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, soft_wrap=True)

    async def until[T](self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait for something to appear, showing the facts that pass meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for fact in self.facts.new(self.customer_id):
                self.told.add(fact.type)
                self.show(f"[dim]{fact.type:<28} {fact.aggregate_type} {fact.subject}, version {fact.aggregate_version}[/]")
            if (found := await look()) is not None:
                return found
            if time.monotonic() > deadline:
                raise TourFailed(f"{what} did not appear within {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)


async def run(gateway: str, home: Home, console: Console) -> None:
    """Do the main job and show it.

    Raises:
        TourFailed: a step did not come out as it must.
    """
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as http, following(home.kafka()) as facts:
        tour = Tour(Api(http), home, console, facts, f"Maple Tours {uuid4().hex[:6]}")
        try:
            await _main_job(tour)
        except Refused as refused:
            raise TourFailed(str(refused)) from refused
    _goodbye(gateway, home, console)


async def _main_job(tour: Tour) -> None:
    tour.step(f"1. {NORTHWIND.admin} of {NORTHWIND.name} signs in through the gateway")
    partner = await tour.api.signed_in(NORTHWIND.email, people.PASSWORD)
    tour.show(f"GET /v1/me: {(await partner.get('/v1/me'))['user']['email']}")

    tour.step(f"2. She creates the customer {tour.company} with a trial")
    body = people.customer(tour.company, "Mia Maple", seats=25)
    customer = await partner.post("/v1/customers", **body)
    tour.customer_id = customer["id"]
    tour.show(f"POST /v1/customers: {customer['id']} is {customer['status']}")

    tour.step("3. Licensing starts the trial")
    trial = await tour.until("the trial", lambda: _trial(partner, customer["id"]))
    tour.show(f"{trial['offer']}: {trial['seats_bought']} seats until {trial['trial_ends_at']}")

    tour.step("4. The customer is mailed, the partner gets a copy")
    mail = await tour.until("the welcome mail", lambda: _welcome(tour, body))
    tour.show(f"To {mail.headers['To']}: {mail.headers['Subject']}")
    await tour.until("the partner's copy", lambda: _mail_to(tour, NORTHWIND.email))

    tour.step("5. Mia sets her password by the link in the mail, and signs in")
    await _set_password(tour, mail, body)

    tour.step("6. Reporting shows the customer")
    row = await tour.until("the customer's row in reporting", lambda: _overview(partner, tour.company))
    tour.show(f"GET /v1/customer-overview: {row['name']}, {row['management_type']}, as of {row['as_of']}")

    tour.step("7. Its product reports computers, and the list says what they need")
    computers = connector.computers(UUID(customer["id"]), trial["product"])
    await _report(tour, customer, computers)
    row = await tour.until("its computers in reporting", lambda: _concerned(partner, customer, len(computers)))
    tour.show(f"require update: {row['require_update']}; alerts: {row['alerts']['critical']} critical, {row['alerts']['warning']} warning")
    tour.show(", ".join(f"{one['severity']}: {one['reason']}" for one in row["attention"]))

    tour.step("8. Nora looks at the price and converts the trial")
    await _convert(tour, partner, trial)

    tour.step("9. The conversion is told, and its rated line reaches the billing consumer")
    await tour.until("the conversion on its topics", lambda: _told(tour, "trial.converted", "billing.line_rated"))
    line = await tour.until("the line at the billing consumer", lambda: _billed(tour, trial["id"]))
    tour.show(f"{line['quantity']} x {line['unit_price']} = {line['amount']} {line['currency']} ({line['reason']})")


async def _trial(partner: Api, customer_id: str) -> dict[str, Any] | None:
    items = (await partner.get("/v1/subscriptions", customer_id=customer_id))["items"]
    return items[0] if items else None


async def _welcome(tour: Tour, body: dict[str, Any]) -> Mail | None:
    return await _mail_to(tour, f"mia.maple@{body['domain']}")


async def _mail_to(tour: Tour, address: str) -> Mail | None:
    mails = await asyncio.to_thread(received, tour.home.mail)
    return next((mail for mail in reversed(mails) if address in mail.headers["To"] and tour.company in mail.text), None)


async def _set_password(tour: Tour, mail: Mail, body: dict[str, Any]) -> None:
    link = _LINK.search(mail.text)
    if link is None:
        raise TourFailed("the welcome mail has no link to set a password")
    password = "a-much-better-password"  # noqa: S105 (of somebody who does not exist)
    await tour.api.post("/v1/credentials/set-password", token=link[1], password=password)
    await tour.api.signed_in(f"mia.maple@{body['domain']}", password)
    tour.show("POST /v1/sessions: signed in")


async def _overview(partner: Api, company: str) -> dict[str, Any] | None:
    page = await partner.get("/v1/customer-overview", q=company)
    return page["items"][0] | {"as_of": page["as_of"]} if page["items"] else None


async def _report(tour: Tour, customer: dict[str, Any], computers: Sequence[Report]) -> None:
    async with connector.connected(tour.home.kafka()) as telling:
        await telling.tell(UUID(customer["partner_id"]), *computers)


async def _concerned(partner: Api, customer: dict[str, Any], computers: int) -> dict[str, Any] | None:
    """The customer's row once all that was reported is counted in it."""
    if (await partner.get(f"/v1/customers/{customer['id']}/endpoint-summary"))["endpoints"] < computers:
        return None
    name = customer["company"]["name"]
    items = (await partner.get("/v1/customer-overview", q=name, alerts="critical", require_update="true"))["items"]
    return items[0] if items else None


async def _convert(tour: Tour, partner: Api, trial: dict[str, Any]) -> None:
    preview = await partner.post(f"/v1/subscriptions/{trial['id']}/convert/preview")
    for line in preview["lines"]:
        tour.show(f"preview: {line['quantity']} x {line['unit_price']} = {line['amount']} {line['currency']}")
    current = await partner.get(f"/v1/subscriptions/{trial['id']}")
    converted = await partner.post(
        f"/v1/subscriptions/{trial['id']}/convert", if_match=current["version"], preview_token=preview["preview_token"]
    )
    tour.show(f"POST /v1/subscriptions/{{id}}/convert: {converted['status']} until {converted['term_end']}")


async def _told(tour: Tour, *topics: str) -> bool | None:
    return tour.told.issuperset(topics) or None


async def _billed(tour: Tour, subscription_id: str) -> dict[str, Any] | None:
    lines = await billed.lines(tour.home)
    return next((line for line in lines if line["subscription_id"] == subscription_id), None)


def _goodbye(gateway: str, home: Home, console: Console) -> None:
    console.print(
        f"""
[green]The main job is done, and everything goes on running.[/]

  Gateway     {gateway}   (API: {gateway}/openapi.json, health: {gateway}/health/ready)
  Operator    {environment.OPERATOR}  {home.secrets().operator_password}
  Partner     {NORTHWIND.email}  {people.PASSWORD}   (service provider)
  Reseller    {BISTROT.email}  {people.PASSWORD}

What to try next: `make mail` shows the mails, `make status` the processes, `make logs` what they say;
the README has the same steps as curl commands. `make down` stops everything and keeps the data.""",
        highlight=False,
        soft_wrap=True,
    )
