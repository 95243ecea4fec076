"""The service over HTTP: who may, what is answered, and that the same request twice is one change."""

from customers_testing.http import Web, a_body


async def test_a_partner_creates_a_customer_and_finds_it(web: Web) -> None:
    partner = await web.a_partner()

    created = await partner.post("/v1/customers", a_body())

    assert created.status_code == 201, created.text
    shown = await partner.get(created.headers["location"])
    assert shown.json() == created.json()
    assert shown.headers["etag"] == created.headers["etag"]
    listed = (await partner.get("/v1/customers", q="soehn")).json()
    assert listed["items"] == []
    listed = (await partner.get("/v1/customers", q="müller")).json()
    assert [one["id"] for one in listed["items"]] == [created.json()["id"]]
    print((await partner.get("/v1/me")).json())
