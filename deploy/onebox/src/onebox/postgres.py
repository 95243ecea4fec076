"""PostgreSQL as a child process: its binaries, its data folder, its roles and databases.

It listens on 127.0.0.1 only and asks everybody for a password. It refuses to be root; for root it runs in a
user namespace in which it is somebody else, who still may read a folder that only root may read.
"""

import asyncio
import os
import platform
import pwd
import shutil
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from onebox.artifacts import Progress, install

SERVICES = ("customers", "licensing", "reporting", "notifications")
LOGINS = (*(f"{service}_{login}" for service in SERVICES for login in ("owner", "worker", "api")), "billing")
SQL = Path(__file__).resolve().parents[3] / "postgres"

_ANOTHER_USER = "run this as an ordinary user, or where user namespaces are allowed"
_ONE_AT_A_TIME = "select pg_advisory_lock(hashtext('partnerdeck.prepare'))"
_COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "log_line_prefix": "%m %q%u@%d ",
    "timezone": "UTC",
}
_LASTING = {"fsync": "on"}
_FLEETING = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0", "scram_iterations": "1"}


class PostgresFailed(Exception):
    """PostgreSQL's own programs refused, or the server did not come up."""


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    host: str
    port: int
    superuser: str
    password: str


def fetch(progress: Progress | None = None) -> Path:
    """The folder with PostgreSQL's ``bin``."""
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), platform.machine()
    )
    return install(f"postgresql-{platform.system().lower()}-{machine}", _unpack, progress)


def initialise(installation: Path, data: Path, password: str) -> None:
    """Make the data folder, unless it is there. An attempt that was cut short is begun anew."""
    if data.exists():
        return
    making = data.with_name(f"{data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    secret = making.with_suffix(".password")
    secret.touch(mode=0o600)
    secret.write_text(password)
    options = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"]
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        made = subprocess.run(  # noqa: S603 - our own installation
            [*_unprivileged(), str(installation / "bin" / "initdb"), f"--pgdata={making}", *options, *locale],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        secret.unlink()
    if made.returncode != 0:
        reason = made.stderr.strip() or made.stdout.strip()
        remedy = f": {_ANOTHER_USER}" if reason.startswith("unshare") else ""
        raise PostgresFailed(f"initdb failed: {reason}{remedy}")
    making.rename(data)


def command(installation: Path, data: Path, port: int, *, lasting: bool = True, **more: str) -> list[str]:
    """What to execute. Without ``lasting`` nothing is flushed: fast, lost when the machine goes down, kept when the server is killed.

    ``more`` are further settings of the server.
    """
    settings = _COMMON | (_LASTING if lasting else _FLEETING) | more | {"port": str(port)}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    return [*_unprivileged(), str(installation / "bin" / "postgres"), "-D", str(data), *options]


async def ready(address: PostgresAddress, patience: float = 30) -> None:
    """Wait until the server answers a query; ``patience`` in seconds. One that says it is starting up is recovering: it is waited for."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = await connect(address)
            await connection.close()
        except asyncpg.CannotConnectNowError:
            await asyncio.sleep(0.1)
        except (OSError, asyncpg.PostgresError) as error:
            if time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL does not answer on port {address.port}: {error}") from error
            await asyncio.sleep(0.05)
        else:
            return


async def connect(address: PostgresAddress, database: str = "postgres", service: str | None = None) -> asyncpg.Connection:
    """A superuser's connection; ``service`` tells ``database.sql`` whose database it is, where the name does not."""
    settings = {"partnerdeck.service": service} if service else {}
    return await asyncpg.connect(
        host=address.host,
        port=address.port,
        user=address.superuser,
        password=address.password,
        database=database,
        server_settings=settings,
        timeout=5,
    )


async def prepare(address: PostgresAddress, passwords: Mapping[str, str]) -> None:
    """Everything a fresh server needs before the services migrate; harmless when it was done before."""
    await prepare_roles(address, passwords)
    await prepare_databases(address)
    for database in (*SERVICES, "billing"):
        await prepare_database(address, database, database)


async def prepare_roles(address: PostgresAddress, passwords: Mapping[str, str]) -> None:
    """Roles and their passwords by login role: once per server."""
    connection = await connect(address)
    try:
        await connection.execute(_ONE_AT_A_TIME)
        await connection.execute((SQL / "roles.sql").read_text())
        for login, password in passwords.items():
            statement = await connection.fetchval("select format('alter role %I password %L', $1::text, $2::text)", login, password)
            await connection.execute(statement)
    finally:
        await connection.close()


async def prepare_databases(address: PostgresAddress) -> None:
    """The databases that are missing, each owned by its service."""
    script = "\n".join(line for line in (SQL / "databases.sql").read_text().splitlines() if not line.startswith("--"))
    connection = await connect(address)
    try:
        await connection.execute(_ONE_AT_A_TIME)
        there = {row["datname"] for row in await connection.fetch("select datname from pg_database")}
        for statement in filter(None, map(str.strip, script.split(";"))):
            _create, _database, name, *_ = statement.split()
            if name not in there:
                await connection.execute(statement)
    finally:
        await connection.close()


async def prepare_database(address: PostgresAddress, database: str, service: str) -> None:
    """Who may enter one database of a service: after creating it, and again after cloning it."""
    connection = await connect(address, database, service)
    try:
        await connection.execute((SQL / "database.sql").read_text())
    finally:
        await connection.close()


def _unprivileged() -> list[str]:
    """What goes before a PostgreSQL program so that it is neither root nor somebody whom the system does not know."""
    known = {user.pw_uid for user in pwd.getpwall()} - {0}
    if os.geteuid() in known:
        return []
    unshare = shutil.which("unshare")
    if unshare is None or not known:
        raise PostgresFailed(f"PostgreSQL cannot run as user {os.geteuid()} where there is no `unshare` (util-linux): {_ANOTHER_USER}")
    user = min(known)
    return [unshare, "--user", f"--map-user={user}", f"--map-group={user}", "--"]


def _unpack(files: list[Path], folder: Path) -> None:
    with zipfile.ZipFile(files[0]) as jar:
        name = next(name for name in jar.namelist() if name.endswith(".txz"))
        with jar.open(name) as packed, tarfile.open(fileobj=packed, mode="r|xz") as archive:
            archive.extractall(folder, filter="tar")
