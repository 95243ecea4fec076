"""The page behind the welcome mail's link gives the token to nobody else and runs nothing but itself."""

import base64
import hashlib
import re

from gateway_stage import Stage

LINK = "/welcome?token=not-to-be-told"


async def test_the_page_is_kept_by_nobody_and_tells_nobody_where_it_was(stage: Stage) -> None:
    answered = await stage.client.get(LINK)

    assert (answered.status_code, answered.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (answered.headers["cache-control"], answered.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert "not-to-be-told" not in answered.text


async def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else(stage: Stage) -> None:
    answered = await stage.client.get(LINK)
    policy = dict(part.split(" ", 1) for part in answered.headers["content-security-policy"].split("; "))

    assert set(policy) == {"default-src", "script-src", "style-src", "connect-src", "base-uri", "form-action", "frame-ancestors"}
    assert {policy[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    for element in ("script", "style"):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", answered.text, re.DOTALL)
        assert policy[f"{element}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def test_the_page_needs_nothing_from_elsewhere(stage: Stage) -> None:
    page = (await stage.client.get(LINK)).text

    assert re.findall(r"""(?:src|href|action)=|https?://|style="|onclick|innerHTML""", page) == []
    assert 'fetch("/v1/credentials/set-password"' in page
