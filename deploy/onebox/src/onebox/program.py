"""The program: which processes make up Partnerdeck on one machine, and what each of them needs."""

import asyncio
import importlib.util
import signal
import sys
from pathlib import Path

import httpx

from onebox import environment, kafka, postgres
from onebox.home import Home
from onebox.postgres import SERVICES
from onebox.supervisor import Errand, Server

_DATA = Path(__file__).with_name("data")
_PARTITIONS = "2"
_TOPICS = Path(__file__).resolve().parents[3] / "topics.yaml"


def servers(home: Home) -> list[Server]:
    return [
        _postgres(home),
        _kafka(home),
        _mail(home),
        *(_service(service, home) for service in SERVICES),
        _gateway(home),
        Server(
            name="billing",
            command=lambda: _python("simulator", "billing"),
            environment=environment.billing(home),
            needs=("postgres", "topics"),
            wave=2,
        ),
        Server(
            name="product",
            command=lambda: _python("simulator", "product"),
            environment=environment.product(home),
            needs=("kafka", "topics"),
            wave=2,
        ),
        _console(home),
    ]


def errands(home: Home) -> list[Errand]:
    """What must have happened before the services are of use; each is harmless when it is repeated."""
    customers = environment.owning("customers", home)
    screening, catalogue = _DATA / "screening.csv", _DATA / "catalogue.yaml"
    return [
        Errand(
            name="topics",
            command=_python("chassis.topics", "apply", "--kafka", home.kafka(), "--file", str(_TOPICS), "--partitions", _PARTITIONS),
            environment=environment.serving("gateway", home),
            needs=("kafka",),
            inputs=(_TOPICS,),
        ),
        *(
            Errand(
                name=f"migrate-{service}",
                command=_python(service, "migrate"),
                environment=environment.owning(service, home),
                needs=("postgres",),
                inputs=(_migrations("chassis"), _migrations(service)),
            )
            for service in SERVICES
        ),
        Errand(
            name="bootstrap",
            command=_python("customers", "bootstrap", "--email", environment.OPERATOR),
            environment=environment.bootstrapping(home),
            needs=("migrate-customers",),
            inputs=(home.folder / "secrets.json",),
        ),
        Errand(
            name="screening",
            command=_python("customers", "load-screening", str(screening)),
            environment=customers,
            needs=("migrate-customers",),
            inputs=(screening,),
        ),
        Errand(
            name="catalogue",
            command=_python("licensing", "load-catalogue", str(catalogue)),
            environment=environment.owning("licensing", home),
            needs=("migrate-licensing",),
            inputs=(catalogue,),
        ),
    ]


def _postgres(home: Home) -> Server:
    data = home.folder / "postgres"
    address = home.postgres()

    async def ready() -> None:
        await postgres.ready(address)
        await postgres.prepare(address, home.secrets().login_passwords)

    async def before() -> None:
        await asyncio.to_thread(postgres.initialise, postgres.fetch(), data, address.password)

    return Server(
        name="postgres",
        command=lambda: postgres.command(postgres.fetch(), data, address.port, lasting=home.lasting),
        address=f"127.0.0.1:{address.port}",
        before=before,
        ready=ready,
        stop_with=signal.SIGINT,
    )


def _kafka(home: Home) -> Server:
    data, ports = home.folder / "kafka", home.ports()

    async def before() -> None:
        await asyncio.to_thread(kafka.initialise, kafka.fetch(), data)

    return Server(
        name="kafka",
        command=lambda: kafka.command(kafka.fetch(), data, ports["kafka"], ports["kafka-controller"]),
        address=home.kafka(),
        before=before,
        ready=lambda: kafka.ready(home.kafka()),
    )


def _mail(home: Home) -> Server:
    port = home.ports()["mail"]
    return Server(
        name="mail",
        command=lambda: _python("onebox.mail", str(port), str(home.mail)),
        address=f"127.0.0.1:{port}",
        ready=lambda: _listening(port),
    )


def _service(service: str, home: Home) -> Server:
    filled = {"customers": ("bootstrap", "screening"), "licensing": ("catalogue",)}.get(service, ())
    return Server(
        name=service,
        command=lambda: _python(service, "serve"),
        environment=environment.serving(service, home),
        address=environment.url(service, home),
        needs=("postgres", "kafka", "topics", f"migrate-{service}", *filled),
        ready=lambda: _healthy(environment.url(service, home)),
        wave=1,
    )


def _gateway(home: Home) -> Server:
    return Server(
        name="gateway",
        command=lambda: _python("gateway", "serve"),
        environment=environment.serving("gateway", home),
        address=home.gateway(),
        ready=lambda: _healthy(home.gateway()),
        wave=2,
    )


def _console(home: Home) -> Server:
    port = home.ports()["console"]
    return Server(
        name="console",
        command=lambda: _python("simulator", "console"),
        environment=environment.console(home),
        address=environment.url("console", home),
        ready=lambda: _listening(port),
        wave=2,
    )


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _migrations(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {package} is not installed: run `make .venv`")
    return Path(found.origin).parent / "migrations"


async def _healthy(url: str) -> None:
    """Return once ``/health/ready`` says so."""
    async with httpx.AsyncClient(base_url=url, timeout=5) as client:
        while True:
            try:
                if (await client.get("/health/ready")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
