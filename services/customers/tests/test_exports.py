"""Customers leave as a CSV file: those selected or all that are shown, and never a hidden one (CUS-36).

It is cut off where the reader may read no more.
"""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from chassis.http import calls, exports
from chassis.ids import new_id
from customers_testing.http import Web, a_body, as_owner

MANY = """insert into customers select (jsonb_populate_record(c, jsonb_build_object(
              'id', gen_random_uuid(), 'company_key', n, 'name_key', n::text,
              'contact', c.contact || jsonb_build_object('email', n || '@many.example')))).*
          from customers c, generate_series(1, 5000) n where c.name = 'Model GmbH'"""


def read(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def some(partner: Web, *names: str) -> list[str]:
    made = [await partner.post("/v1/customers", a_body(name, f"{new_id().hex}.example")) for name in names]
    return [one.json()["id"] for one in made]


async def test_all_that_the_filters_show_is_exported_in_the_order_of_the_list(web: Web) -> None:
    partner = await web.a_partner()
    await some(partner, "Zebra Bau", "Ärztehaus, 100%", 'Say "Hi" GmbH')
    stranger = await web.a_partner("Berg IT", "berg.example")
    await some(stranger, "Zebra Berg")

    answer = await partner.get("/v1/customers/export.csv")
    listed = (await partner.get("/v1/customers")).json()["items"]

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="customers.csv"'
    assert [(one["id"], one["name"], one["contact_email"]) for one in read(answer)] == [
        (one["id"], one["company"]["name"], one["contact"]["email"]) for one in listed
    ]
    assert [one["name"] for one in read(await partner.get("/v1/customers/export.csv", q="ZEBRA"))] == ["Zebra Bau"]
    assert read(await partner.get("/v1/customers/export.csv", sort="-name"))[0]["name"] == "Zebra Bau"
    assert (await partner.get("/v1/customers/export.csv", colour="red")).status_code == 422
    assert (await partner.get("/v1/customers/export.csv", sort="colour")).json()["code"] == "unknown_sort"


async def test_selected_customers_are_exported_and_no_others(web: Web) -> None:
    partner = await web.a_partner()
    first, _, third = await some(partner, "Alpha GmbH", "Beta GmbH", "Gamma GmbH")
    stranger = await web.a_partner("Berg IT", "berg.example")
    (theirs,) = await some(stranger, "Delta GmbH")

    chosen = await partner.post("/v1/customers/export.csv", {"ids": [third, first, theirs]})

    assert [one["id"] for one in read(chosen)] == [first, third]
    assert (await partner.post("/v1/customers/export.csv", {"ids": []})).status_code == 422


async def test_whatever_is_selected_is_exported_also_who_was_rejected(web: Web) -> None:
    """CUS-36: the list shows it where a status asks for it, and there it was selected."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    await as_owner(web, "update customers set status = 'rejected'")

    selected = await partner.post("/v1/customers/export.csv", {"ids": [customer["id"]]})

    assert "Müller & Söhne GmbH" in selected.text


async def test_no_cell_is_a_formula(web: Web) -> None:
    partner = await web.a_partner()
    await some(partner, '=HYPERLINK("http://evil.example")', "@SUM(A1)", "A-1 = good")
    await as_owner(web, 'update customers set contact = contact || \'{"phone": "+49 40 123", "name": "\uff1d1+1"}\'')

    rows = read(await partner.get("/v1/customers/export.csv"))

    assert {one["name"] for one in rows} == {'\'=HYPERLINK("http://evil.example")', "'@SUM(A1)", "A-1 = good"}
    assert {(one["contact_phone"], one["contact_name"]) for one in rows} == {("'+49 40 123", "'\uff1d1+1")}


async def test_a_customer_that_the_readers_roles_hide_is_not_in_the_file(web: Web) -> None:
    """CUS-85: no access means absent, selected or not."""
    partner = await web.a_partner()
    hidden, shown = await some(partner, "Hidden GmbH", "Shown GmbH")
    bob = await web.a_colleague(partner)
    hiding = "update roles set customers = jsonb_build_object($1::text, 'none') where name = 'Administrator'"
    await as_owner(web, hiding, hidden)

    assert [one["id"] for one in read(await bob.get("/v1/customers/export.csv"))] == [shown]
    assert [one["id"] for one in read(await bob.post("/v1/customers/export.csv", {"ids": [hidden, shown]}))] == [shown]


async def test_an_export_is_audited_with_what_was_chosen(web: Web) -> None:
    partner = await web.a_partner()
    await some(partner, "Alpha GmbH")
    answer = await partner.get("/v1/customers/export.csv", q="alpha")

    said = "select v.after::text from audit a join audit_values v on v.audit_id = a.id where a.request_id = $1"
    assert await as_owner(web, said, answer.headers["x-request-id"]) == '{"export":"customers","q":"%alpha%"}'


async def test_who_may_read_no_longer_gets_no_more_and_no_end(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at between the pieces; a file that was cut off is not taken for a whole one."""
    monkeypatch.setattr(calls, "LOOK_AGAIN", 0.0)
    partner = await web.a_partner()
    await some(partner, "Model GmbH")
    await as_owner(web, MANY)
    whole = await asked(partner)
    assert whole[-1] == {"type": "http.response.body", "body": b""}
    assert b"".join(one.get("body", b"") for one in whole).count(b"\n") == 1 + 5001

    async def revoke() -> None:
        await as_owner(web, "update users set status = 'disabled', gen = gen + 1 where email = 'grace@hafen.example'")

    cut = await asked(partner, after_the_first_piece=revoke)

    assert cut[0]["status"] == 200
    assert all(one["more_body"] for one in cut[1:])
    assert 2 <= len(cut) < len(whole)


HIDING = {
    "a role's level": "update roles set all_customers = 'none' where name = 'Administrator'",
    "a customer that is named": "update roles set customers = jsonb_build_object($1::text, 'none') where name = 'Administrator'",
    "a tag taken": "update customers set tags = '{}' where id::text = $1",
}


@pytest.mark.parametrize("how", HIDING)
async def test_who_is_shown_less_meanwhile_gets_no_more_and_no_end(web: Web, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """CUS-85: it began with what its roles showed then; a file of which something is hidden by now does not come to its end."""
    monkeypatch.setattr(calls, "LOOK_AGAIN", 0.0)
    partner = await web.a_partner()
    (first,) = await some(partner, "Model GmbH")
    await as_owner(web, MANY)
    await as_owner(web, "update customers set tags = '{gold}' where id::text = $1", first)
    bob = await web.a_colleague(partner)
    await as_owner(web, """update roles set tags = '{"gold": "read"}' where name = 'Administrator'""")
    whole = await asked(bob)
    assert whole[-1] == {"type": "http.response.body", "body": b""}

    async def hide() -> None:
        await as_owner(web, HIDING[how], *([first] if "$1" in HIDING[how] else []))

    cut = await asked(bob, after_the_first_piece=hide)

    assert all(one["more_body"] for one in cut[1:])
    assert 2 <= len(cut) < len(whole)


async def test_who_takes_too_long_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export holds one of few connections."""
    monkeypatch.setattr(exports, "_TAKEN_WITHIN", 0.2)
    partner = await web.a_partner()
    await some(partner, "Model GmbH")
    await as_owner(web, MANY)

    async def dawdle() -> None:
        await asyncio.sleep(30)

    cut = await asked(partner, after_the_first_piece=dawdle)

    assert all(one["more_body"] for one in cut[1:])
    assert len(read(await partner.get("/v1/customers/export.csv"))) == 5001


async def test_a_refusal_before_the_first_piece_is_a_problem(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    partner = await web.a_partner()
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 0)

    answer = await partner.get("/v1/customers/export.csv")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "too_many_exports", "2")
    assert (await web.get("/v1/customers/export.csv")).status_code == 401


async def test_whoever_leaves_stops_the_export_and_the_next_one_is_served(web: Web) -> None:
    partner = await web.a_partner()
    await some(partner, "Model GmbH")
    await as_owner(web, MANY)

    for _ in range(10):
        assert len(await asked(partner, leaving=True)) < 4
    assert len(read(await partner.get("/v1/customers/export.csv"))) == 5001


async def asked(web: Web, *, after_the_first_piece: Callable[[], Awaitable[None]] | None = None, leaving: bool = False) -> list[Any]:
    """The messages of one export, as the server is given them."""
    sent: list[Any] = []
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:
            if after_the_first_piece:
                await after_the_first_piece()
            if leaving:
                left.set()
                await asyncio.sleep(0)

    transport = web.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    headers = [(b"authorization", f"Bearer {web.token}".encode())]
    path = "/v1/customers/export.csv"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    await transport.app(scope | {"http_version": "1.1", "client": None, "server": None, "scheme": "http", "root_path": ""}, receive, send)
    return sent
