"""A service's HTTP application: the rails around its routers.

From the outside in: correlation, the last resort, limits, then FastAPI with the problem
handlers. The OpenAPI document says what is true: every refusal is a problem.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.middleware import Middleware

from chassis import metrics
from chassis.health import Health
from chassis.http import failures, problems
from chassis.http.correlation import Correlated
from chassis.http.documenting import say_headers
from chassis.http.failures import LastResort
from chassis.http.finding import include
from chassis.http.limits import Bounds, Limited

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build(
    *,
    title: str,
    routers: Sequence[APIRouter],
    health: Health,
    state: object | None = None,
    lifespan: Lifespan | None = None,
    bounds: Bounds | None = None,
) -> FastAPI:
    """The application of one service. ``state`` is what its routes find as ``request.app.state.service``.

    Raises:
        ValueError: two operations would have the same id.
    """
    app = FastAPI(
        title=title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # they are ours (chassis.tracing, metrics, logs)
        middleware=[Middleware(Correlated), Middleware(LastResort), Middleware(Limited, bounds)],
    )
    app.state.service = state
    failures.handle(app)
    for router in routers:
        _document_routes(router)
    include(app, (*routers, _rails(health)))
    _refuse_namesakes(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document_routes(router: APIRouter) -> None:
    """What every operation says of itself: its id, and that each refusal is a problem."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.unique_id = operation_id(route)
            route.responses = {**problems.RESPONSES, **route.responses}


def operation_id(route: APIRoute) -> str:
    """``customers_create``: the router's first tag and the function."""
    return "_".join((*map(str, route.tags[:1]), route.name))


def _rails(health: Health) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> Response:
        return Response(b'{"live":true}', media_type="application/json")

    @router.get("/health/ready")
    async def ready() -> Response:
        state = await health.look()
        return Response(state.body, status_code=200 if state.ready else 503, media_type="application/json")

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    return router


def _refuse_namesakes(app: FastAPI) -> None:
    ids = Counter(
        context.operation_id or context.unique_id
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and context.include_in_schema
    )
    twice = sorted(name for name, times in ids.items() if times > 1)
    if twice:
        raise ValueError(f"operation ids must be unique: {', '.join(twice)}")


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version="1", routes=app.routes)
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = problems.SCHEMA
        components.setdefault("securitySchemes", {})["token"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        document["security"] = [{"token": []}]
        say_headers(document, app.routes)
        app.openapi_schema = document
    return app.openapi_schema
