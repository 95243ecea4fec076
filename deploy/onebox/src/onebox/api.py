"""A client of Partnerdeck's API as a web client would be one: through the gateway, with keys and tokens, nothing behind the door."""

from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx


class Refused(Exception):
    """The API refused or failed; the problem says why."""

    def __init__(self, answer: httpx.Response) -> None:
        problem = _problem(answer)
        self.status = answer.status_code
        self.code = str(problem.get("code", ""))
        remedy = f" {problem['remedy']}" if problem.get("remedy") else ""
        request = f"{answer.request.method} {answer.request.url.path}"
        super().__init__(f"{request} answered {answer.status_code} {self.code}: {problem.get('detail', answer.text[:200])}{remedy}")


@dataclass(frozen=True, slots=True)
class Api:
    """The API for one principal; ``signed_in`` gives one with a token."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def signed_in(self, email: str, password: str) -> Self:
        session = await self.post("/v1/sessions", email=email, password=password)
        return type(self)(self.http, {"authorization": f"Bearer {session['access_token']}"})

    async def get(self, path: str, **query: Any) -> Any:
        return _read(await self.http.get(path, params=query, headers=self.headers))

    async def post(self, path: str, *, if_match: int | str | None = None, **body: Any) -> Any:
        """Ask for a change under a key of its own, so that it can be asked for again when the answer was lost."""
        headers = self.headers | ({"idempotency-key": str(uuid4())} if self.headers else {})
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        return _read(await self.http.post(path, json=body, headers=headers))

    async def everything(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        page = await self.get(path, limit=200, **query)
        items += page["items"]
        while page["next"]:
            page = await self.get(path, limit=200, cursor=page["next"], **query)
            items += page["items"]
        return items


def _read(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise Refused(answer)
    return answer.json() if answer.content else None


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
