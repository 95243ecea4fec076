"""Every operation, asked by every principal about what is its partner's, another's and nobody's (GW-02, GW-03, CUS-85).

Whoever may not see a customer is answered by nothing that names it, whatever is asked. A change is asked for with a version
that was never there: who is let in is told that it is stale, and nothing is changed.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from authorisation.decisions import PRINCIPALS, Decision, Operation, decisions
from authorisation.principals import Cast, a_customer, a_partner

DOCUMENT: Final = Path(__file__).parents[2] / "docs/api/openapi.json"
DECISIONS: Final = decisions()
BLIND: Final = ("nobody", "ancestor", "stranger", "other_customer", "anonymous")
"""Who sees nothing of the partner's customer."""
WHOEVER_ASKS: Final = {"capability_missing", "no_programme"}
OBJECTS: Final = re.compile(r"^/v1/(?!me/).*{")
MADE: Final = {"{a_customer}": a_customer, "{a_partner}": a_partner}


def documented() -> Iterator[str]:
    for path, item in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            yield f"{method.upper()} {path}"


def test_every_operation_has_a_decision_and_every_decision_an_operation() -> None:
    assert sorted(DECISIONS) == sorted(documented())


@pytest.mark.parametrize("name", sorted(DECISIONS))
async def test_everybody_is_let_in_or_not_as_was_decided(name: str, cast: Cast, http: httpx.AsyncClient) -> None:
    operation = DECISIONS[name]
    if operation.apart:
        pytest.skip(operation.apart)

    answers = await asyncio.gather(*(ask(http, operation, cast.headers[who], cast.own) for who in PRINCIPALS))

    made = {who: _made(operation, answer) for who, answer in zip(PRINCIPALS, answers, strict=True)}
    assert made == {who: operation.expected(who) for who in PRINCIPALS}
    named = [who for who, answer in zip(PRINCIPALS, answers, strict=True) if who in BLIND and cast.marker in answer.text]
    assert named == []


@pytest.mark.parametrize("name", sorted(name for name, one in DECISIONS.items() if OBJECTS.search(one.path) and not one.apart))
async def test_what_is_anothers_or_nobodys_does_not_exist(name: str, cast: Cast, http: httpx.AsyncClient) -> None:
    """The partner's administrator asks about the stranger's, and about what never was: both are answered alike."""
    operation = DECISIONS[name]
    never = {key: str(uuid4()) for key in cast.own}

    foreign, none = [await ask(http, operation, cast.headers["partner_admin"], ids) for ids in (cast.foreign, never)]

    expected = operation.expected("partner_admin")
    if expected is Decision.ALLOW and not operation.ids:
        assert (foreign.status_code, none.status_code) == (404, 404), (foreign.text, none.text)
        assert foreign.json()["code"] == none.json()["code"]
    assert cast.foreign_marker not in foreign.text


async def ask(http: httpx.AsyncClient, operation: Operation, headers: Any, ids: Any) -> httpx.Response:
    unique = {"{unique}": f"m{uuid4().hex[:12]}", "{nothing}": str(uuid4())}
    known = {f"{{{name}}}": value for name, value in ids.items()} | unique | {"{somebody}": ids["somebody"], "{role}": ids["role_id"]}
    chosen = {f"{{{name}}}": _filled(value, known) for name, value in operation.ids.items()}
    path = operation.path
    for place, value in (known | chosen).items():
        path = path.replace(place, value)
    while "{" in path:
        path = path[: path.index("{")] + str(uuid4()) + path[path.index("}") + 1 :]
    body = _filled(operation.body, known)
    conditional = {"if-match": '"0"'} if operation.method in {"PUT", "PATCH", "DELETE", "POST"} else {}
    while True:
        answer = await http.request(operation.method, path, json=body, headers={**headers, **conditional})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")) / 10)


def _filled(said: Any, known: dict[str, str]) -> Any:
    if isinstance(said, dict):
        return {name: _filled(value, known) for name, value in said.items()}
    if isinstance(said, list):
        return [_filled(value, known) for value in said]
    if isinstance(said, str):
        if said in MADE:
            return MADE[said]()
        for place, value in known.items():
            said = said.replace(place, value)
    return said


def _made(operation: Operation, answer: httpx.Response) -> Decision:
    """A part of a customer that is not there is no secret to whoever sees the customer; what is refused whoever asks decides nothing."""
    made = operation.made(answer.status_code)
    if made is Decision.DENY and answer.json()["code"] in WHOEVER_ASKS:
        return Decision.ALLOW
    if made is Decision.HIDE and "{customer_id}" in operation.path and answer.json()["code"] != "customer_not_found":
        return Decision.ALLOW
    return made
