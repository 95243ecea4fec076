"""The page behind the link of the welcome mail: set your password.

It is one file without anything from elsewhere. The link's token never leaves the page but in the
body of the one request that uses it: no referrer, no store, gone from the address bar.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from starlette.types import Scope

from chassis.http.answers import Answer

_PAGE: Final = Path(__file__).with_name("welcome.html").read_text(encoding="utf-8")


def _allowed(element: str) -> str:
    """What a policy says to allow the page's own ``<style>`` or ``<script>``, by its hash, and no other."""
    found = re.search(f"<{element}>(.*?)</{element}>", _PAGE, re.DOTALL)
    text = found[1] if found else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_allowed('script')}",
        f"style-src {_allowed('style')}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_ANSWER: Final = Answer(
    status=200,
    body=_PAGE.encode(),
    headers=(
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex"),
        ("cross-origin-opener-policy", "same-origin"),
    ),
)


async def page(_: Scope) -> Answer:
    return _ANSWER
