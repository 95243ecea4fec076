"""Pages behind mailed links: each is one file without anything from elsewhere, put together of its own part and what all share.

A link's token stands behind the ``#``, so it comes to no server but in the requests that use it: no
referrer, no store, gone from the address bar.
"""

import base64
import hashlib
import re
from pathlib import Path

from starlette.types import Scope

from chassis.http.answers import Answer


class LinkPage:
    """A page of the gateway's own, by its file's name."""

    def __init__(self, name: str) -> None:
        text = _read(f"{name}.html").replace("/* page.css */", _read("page.css")).replace("/* page.js */", _read("page.js"))
        self._answer = Answer(
            status=200,
            body=text.encode(),
            headers=(
                ("content-type", "text/html; charset=utf-8"),
                ("content-security-policy", _policy(text)),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("x-frame-options", "DENY"),
                ("x-robots-tag", "noindex"),
                ("cross-origin-opener-policy", "same-origin"),
            ),
        )

    async def __call__(self, _: Scope) -> Answer:
        return self._answer


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _policy(text: str) -> str:
    """The page runs and looks like itself alone, and speaks to nobody but us."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_allowed(text, 'script')}",
            f"style-src {_allowed(text, 'style')}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _allowed(text: str, element: str) -> str:
    """What a policy says to allow the page's own ``<style>`` or ``<script>``, by its hash, and no other."""
    found = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    own = found[1] if found else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()}'"
