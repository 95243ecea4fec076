"""A page behind a mailed link gives the token to nobody else and runs nothing but itself (NOT-12, BEY-14)."""

import base64
import hashlib
import re

import pytest
from gateway_stage import Stage

from gateway.table import PUBLIC

PAGES = ("/welcome", "/consent")


@pytest.fixture(params=PAGES)
def link(request: pytest.FixtureRequest) -> str:
    return f"{request.param}#lang=de&token=not-to-be-told"


async def test_the_page_is_kept_by_nobody_and_tells_nobody_where_it_was(stage: Stage, link: str) -> None:
    answered = await stage.client.get(link)

    assert (answered.status_code, answered.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (answered.headers["cache-control"], answered.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert "not-to-be-told" not in answered.text


async def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else(stage: Stage, link: str) -> None:
    answered = await stage.client.get(link)
    policy = dict(part.split(" ", 1) for part in answered.headers["content-security-policy"].split("; "))

    assert set(policy) == {"default-src", "script-src", "style-src", "connect-src", "base-uri", "form-action", "frame-ancestors"}
    assert {policy[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    for element in ("script", "style"):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", answered.text, re.DOTALL)
        assert policy[f"{element}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def test_the_page_needs_nothing_from_elsewhere(stage: Stage, link: str) -> None:
    page = (await stage.client.get(link)).text

    assert re.findall(r"""(?:src|href|action)=|https?://|style="|onclick|innerHTML""", page) == []
    asked = {path.partition("$")[0] for path in re.findall(r"[\"`](/v1/[^\"`]+)", page)}
    assert asked
    assert all(any(public.startswith(path) for _, public in PUBLIC) for path in asked)
    assert "fetch(" in page


async def test_the_token_is_read_from_behind_the_hash_that_no_server_is_sent(stage: Stage, link: str) -> None:
    """NOT-12: it stands in no log of any."""
    answered = await stage.client.get(link)

    assert str(answered.request.url.raw_path, "ascii") == link.partition("#")[0]
    assert "location.hash" in answered.text
    assert "location.search" not in answered.text


async def test_the_page_speaks_the_languages_of_the_mails(stage: Stage, link: str) -> None:
    """CUS-92, GW-13: every sentence in each."""
    page = (await stage.client.get(link)).text
    blocks = re.finditer(r"^  (\w\w): \{\n(.*?)^  \},", page, re.MULTILINE | re.DOTALL)
    spoken = {block[1]: re.findall(r"(?:^ {4,}|, )(\w+): [\[{\"]", block[2], re.MULTILINE) for block in blocks}

    assert {*spoken} == {"en", "de"}
    assert spoken["en"] == spoken["de"]
