"""The command line: ``python -m gateway serve|api``, which are the same, for the gateway has neither workers nor a database."""

import structlog
import typer
import uvloop
from prometheus_client import start_http_server

from chassis import logs, memory, metrics, tracing
from chassis.environment import load
from chassis.serving import serve as serve_app
from gateway.app import listening, opened
from gateway.settings import Settings

log = structlog.get_logger()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve() -> None:
    """Answer requests."""
    settings = load(Settings)
    logs.configure("gateway", settings.log_format)
    with tracing.recording("gateway", settings.traces_url, settings.traces_share, decides=True):
        uvloop.run(_run(settings))


@app.command()
def api() -> None:
    """Answer requests."""
    serve()


async def _run(settings: Settings) -> None:
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, settings.http_host, registry=metrics.REGISTRY)
    async with opened(settings) as application:
        memory.settle()
        log.info("service_started", parts=["api"])
        await serve_app(application, host=settings.http_host, port=settings.http_port, **listening(settings))
        log.info("service_stopped")


if __name__ == "__main__":
    app()
