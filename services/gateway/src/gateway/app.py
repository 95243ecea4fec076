"""Composition of the gateway: settings in, ASGI application out. The only place that builds anything."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Scope

from chassis.clock import SystemClock
from chassis.health import Check, Health
from chassis.http.answers import Answer
from chassis.http.correlation import Correlated
from chassis.http.limits import Limited
from chassis.keys import KeySet
from chassis.tokens import Verifier
from contracts import published
from gateway.documents import Documents
from gateway.door import Door, Page, Rates
from gateway.pages import LinkPage
from gateway.policies import Policies
from gateway.profiles import Profiles
from gateway.protocol import Protocol
from gateway.rates import Rate
from gateway.settings import Settings
from gateway.table import CONSENT, DOCUMENT, EVENTS, LIVE, POLICIES, PROFILE, READY, ROOT, WELCOME
from gateway.upstreams import Upstream, make_client

TITLE: Final = "Partnerdeck"
VERSION: Final = version("partnerdeck-gateway")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The application, with its connections to the services closed on leaving."""
    async with make_client() as client:
        upstreams = {name: Upstream(name, url, client) for name, url in settings.upstreams.items()}
        yield Correlated(Limited(_door(settings, upstreams)))


def listening(settings: Settings) -> dict[str, Any]:
    """How uvicorn is to serve the application."""
    return {
        "http": Protocol,
        "ws": "none",
        "lifespan": "off",
        "timeout_keep_alive": 30,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies or None,
    }


def _door(settings: Settings, upstreams: Mapping[str, Upstream]) -> Door:
    return Door(
        upstreams=upstreams,
        pages=_pages(upstreams),
        verifier=Verifier(KeySet(url=settings.keys_url)),
        rates=Rates(
            partner=Rate("partner", settings.partner_requests_per_second / settings.replicas),
            address=Rate("address", settings.address_requests_per_second / settings.replicas),
            probe=Rate("probe", settings.user_probes_per_second / settings.replicas),
        ),
        clock=SystemClock(),
    )


def _pages(upstreams: Mapping[str, Upstream]) -> dict[str, Page]:
    health = Health({name: _ready(upstream) for name, upstream in upstreams.items()})
    links = {"openapi": DOCUMENT, "events": EVENTS, "live": LIVE, "ready": READY, "keys": "/.well-known/jwks.json"}
    return {
        ROOT: partial(_say, {"name": TITLE, "version": VERSION, "links": links}),
        LIVE: partial(_say, {"live": True}),
        READY: partial(_look, health),
        WELCOME: LinkPage("welcome"),
        CONSENT: LinkPage("consent"),
        DOCUMENT: Documents(upstreams, title=TITLE, version=VERSION).page,
        EVENTS: partial(_give, Answer(status=200, body=published.event_catalogue())),
        PROFILE: Profiles(upstreams).page,
        POLICIES: Policies(upstreams).page,
    }


def _ready(upstream: Upstream) -> Check:
    return partial(upstream.reaches, READY)


async def _say(what: Mapping[str, Any], _: Scope) -> Answer:
    return Answer(status=200, body=msgspec.json.encode(what))


async def _give(answer: Answer, _: Scope) -> Answer:
    return answer


async def _look(health: Health, _: Scope) -> Answer:
    state = await health.look()
    return Answer(status=200 if state.ready else 503, body=state.body)
