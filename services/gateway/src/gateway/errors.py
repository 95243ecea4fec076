"""Every reason the gateway refuses by itself."""

from chassis.errors import Kind, Refusal


class NoSuchPath(Refusal):
    """There is nothing at this path."""

    kind = Kind.NOT_FOUND
    code = "no_such_path"
    remedy = "Compare the path with the OpenAPI document at /openapi.json."


class TooManyRequests(Refusal):
    """You ask too often."""

    kind = Kind.TOO_MANY
    code = "too_many_requests"
    remedy = "Wait as long as Retry-After says; the RateLimit header says how much is left."

    def __init__(self, *, retry_after: int, limit: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        super().__init__(retry_after=retry_after, limit=limit)
        self.headers = headers


class BodyTooSlow(Refusal):
    """The request's body did not arrive in time."""

    kind = Kind.TOO_SLOW
    code = "body_too_slow"
    remedy = "Send it at once, a change with the same Idempotency-Key."


class UpstreamUnavailable(Refusal):
    """The service behind this path cannot be reached at the moment."""

    kind = Kind.UNAVAILABLE
    code = "upstream_unavailable"
    remedy = "Try again in a moment, a change with the same Idempotency-Key."


class UpstreamTimedOut(Refusal):
    """The service behind this path did not answer in time."""

    kind = Kind.UNAVAILABLE
    code = "upstream_timed_out"
    remedy = "It may have taken effect: send it again with the same Idempotency-Key."
