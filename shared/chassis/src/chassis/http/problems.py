"""Problems: how a refusal, a bad request or a failure looks to the caller (RFC 9457).

The only place that knows which status a refusal has. Every answer from 400 upwards is a
problem with a stable ``code``, and none says anything about the inside: what failed stands in
the log under the request's id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from pydantic import JsonValue
from starlette.types import Scope

from chassis.errors import FieldError, Kind, Refusal
from chassis.http import correlation
from chassis.http.answers import Answer

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.TOO_SLOW: 408,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.INVALID: 422,
    Kind.UNCONDITIONAL: 428,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem before it is written down. ``headers`` are what the status demands beside the body."""

    status: int
    code: str
    title: str
    remedy: str
    detail: str = ""
    rule: str | None = None
    policy_version: str | None = None
    errors: Sequence[FieldError] = ()
    retry_after: int | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, scope: Scope) -> Answer:
        """The problem of one request as bytes."""
        now = correlation.current()
        members: dict[str, Any] = {
            **self.facts,
            "type": f"urn:partnerdeck:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "instance": _instance(scope),
            "code": self.code,
            "remedy": self.remedy,
            "rule": self.rule,
            "policy_version": self.policy_version,
            "request_id": now.request_id if now else None,
            "errors": [_error(one) for one in self.errors],
        }
        waiting = (("retry-after", str(self.retry_after)),) if self.retry_after is not None else ()
        headers = (("content-type", MEDIA_TYPE), ("cache-control", "no-store"), *waiting, *self.headers)
        return Answer(status=self.status, body=msgspec.json.encode(members), headers=headers)


INTERNAL: Final = Problem(
    status=500, code="internal", title="Something went wrong on our side.", remedy="Try again; if it stays, report the request_id."
)

MALFORMED: Final = Problem(status=400, code="malformed_body", title="The body cannot be read.", remedy="Send well-formed JSON in UTF-8.")
NO_SUCH_PATH: Final = Problem(
    status=404, code="no_such_path", title="There is nothing at this path.", remedy="Compare the path with the OpenAPI document."
)
BODY_TOO_LARGE: Final = Problem(status=413, code="body_too_large", title="The body is too large.", remedy="Send less at once.")
NOT_JSON: Final = Problem(
    status=415, code="unsupported_media_type", title="The body's media type is not supported.", remedy="Send application/json."
)


def other_methods(*allowed: str) -> Problem:
    """What a path answers to a method that it does not take."""
    return Problem(
        status=405,
        code="method_not_allowed",
        title="This path does not take this method.",
        remedy="Use one of the methods in the Allow header.",
        headers=(("allow", ", ".join(allowed)),),
    )


def _error(found: FieldError) -> dict[str, str]:
    own = {"rule": found.rule, "remedy": found.remedy}
    said = {name: text for name, text in own.items() if text is not None}
    return {"pointer": found.pointer, "code": found.code, "detail": found.detail, **said}


def status_of(refusal: Refusal) -> int:
    return _STATUS[refusal.kind]


def of(refusal: Refusal) -> Problem:
    """The problem that a refusal is."""
    return Problem(
        status=status_of(refusal),
        code=refusal.code,
        title=refusal.title,
        remedy=refusal.remedy,
        detail=refusal.detail,
        rule=refusal.rule,
        policy_version=refusal.policy_version,
        errors=refusal.errors,
        retry_after=refusal.retry_after,
        facts=refusal.facts,
        headers=_challenge(refusal),
    )


def _challenge(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """RFC 6750, 3: the error is named only to who sent a token."""
    if refusal.kind is not Kind.UNAUTHENTICATED:
        return ()
    sent = refusal.code in {"token_invalid", "token_expired"}
    return (("www-authenticate", 'Bearer error="invalid_token"' if sent else "Bearer"),)


def _instance(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return raw[:2000].decode("ascii", "replace")


SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "What is the matter, by which rule, and what to do instead (RFC 9457). Clients may rely on `code`.",
    "required": ["type", "title", "status", "detail", "instance", "code", "remedy", "rule", "policy_version", "request_id", "errors"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
        "rule": {"type": ["string", "null"]},
        "policy_version": {"type": ["string", "null"]},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail", "rule", "remedy")},
            },
        },
    },
}
_IN_DOCUMENT: Final = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "Refused: a problem", **_IN_DOCUMENT},
    "5XX": {"description": "Failed: a problem", **_IN_DOCUMENT},
}
"""For every operation of the OpenAPI document, whose components then hold ``SCHEMA`` as ``Problem``."""
