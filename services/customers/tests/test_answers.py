"""What is answered to an offer's form is kept as it came, or refused with the place that cannot be kept (CUS-15)."""

from typing import Any

import pytest

from customers_testing.http import Web, a_body

KEYS: Any = pytest.mark.parametrize("key", [{}, {"idempotency_key": "once"}], ids=["without a key", "with a key"])


def asking(*answers: Any) -> dict[str, Any]:
    """A body with one product for each of the answers."""
    return a_body(products=[{"offer": "endpoint-cloud", "kind": "trial", "answers": one} for one in answers])


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


@KEYS
@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"q": "a\0b"}, "invalid"),
        ({"a\0b": "q"}, "invalid"),
        ({"q": [{"r": {"\0": 1}}]}, "invalid"),
        ({"q": 2**63}, "invalid"),
        (nested(64), "invalid"),
        ({"q": "x" * (16 * 1024)}, "too_large"),
        ({"q": "ä" * (8 * 1024)}, "too_large"),
        ({str(number): number for number in range(2000)}, "too_large"),
    ],
)
async def test_answers_that_cannot_be_kept_are_refused(web: Web, key: dict[str, str], answers: dict[str, Any], code: str) -> None:
    """CUS-15: NUL, great numbers, depth and length; the field is named, nothing is created."""
    partner = await web.a_partner()

    refused = await partner.post("/v1/customers", asking(answers), **key)

    assert refused.status_code == 422, refused.text
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/products/0/answers", code)]
    assert (await partner.get("/v1/customers")).json()["items"] == []


@KEYS
async def test_answers_are_bounded_together_too(web: Web, key: dict[str, str]) -> None:
    """CUS-15: what is answered stays small enough to be answered again under its key."""
    partner = await web.a_partner()

    refused = await partner.post("/v1/customers", asking(*[{"q": "x" * 12_000}] * 3), **key)

    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/products", "too_large")]


@KEYS
async def test_the_largest_answers_are_kept(web: Web, key: dict[str, str]) -> None:
    """CUS-15."""
    partner = await web.a_partner()
    answers = {"q": "x" * (16 * 1024 - 8)}

    created = await partner.post("/v1/customers", asking(answers), **key)

    assert created.status_code == 201, created.text
    assert (await partner.get(created.headers["location"])).json()["products"][0]["answers"] == answers


async def test_a_body_nested_without_end_is_a_problem_and_no_failure(web: Web) -> None:
    partner = await web.a_partner()
    deep = b'{"products": [{"answers": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}]}"

    refused = await partner.client.post(
        "/v1/customers", content=deep, headers={"authorization": f"Bearer {partner.token}", "content-type": "application/json"}
    )

    assert refused.status_code in {400, 422}, refused.text
