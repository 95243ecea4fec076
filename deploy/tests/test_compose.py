"""docker-compose.yml starts the same processes as onebox, told the same, with no more rights and secrets than each needs (BEY-16).

No container is started here: what is checked is what can be without an engine, down to the settings that every process
would read and the commands it would be given.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from compose_file import CONTAINERS, FILE, OURS, ROOT, SERVICES, WHOLE, Container, ours

from chassis.environment import ProcessSettings
from onebox import environment
from onebox.home import Home
from onebox.program import errands, servers
from simulator.settings import ConsoleSettings, ProductSettings, SampleSettings, Settings, load

OWN = environment._OWN
KEPT = {"/var/lib/postgresql", "/var/lib/kafka/data"}
FRESH_SECRETS = [sys.executable, str(ROOT / "deploy/compose/fresh_secrets.py")]
RUN_BY_PATH = {"secrets", "databases", "operator"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything the job ``secrets`` makes, one folder per volume."""
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([*FRESH_SECRETS, str(folder)], check=True)  # noqa: S603 - this interpreter
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"), gateway_port=0)
    home.prepare()
    home.choose_ports()
    return home


def settings_of(container: Container, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessSettings:
    for name, value in container.told(secrets).items():
        monkeypatch.setenv(name, value)
    made: ProcessSettings = importlib.import_module(f"{container.said['command'][0]}.settings").Settings()
    return made


def test_it_fits_the_compose_specification() -> None:
    checked = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("name", "kind"), [("billing", Settings), ("product", ProductSettings), ("console", ConsoleSettings)])
def test_every_sample_program_reads_its_settings_likewise(
    name: str, kind: type[SampleSettings], secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in CONTAINERS[name].told(secrets).items():
        monkeypatch.setenv(variable, value)

    assert load(kind).model_dump().keys() == kind.model_fields.keys()


@pytest.mark.parametrize("name", [*SERVICES, "gateway"])
def test_every_process_reads_its_settings_from_its_environment_alone(name: str, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(CONTAINERS[name], secrets, monkeypatch)
    assert (settings.http_host, settings.http_port, settings.log_format) == ("0.0.0.0", 8080, "json")  # noqa: S104 - inside a container


@pytest.mark.parametrize("name", [*(f"migrate-{service}" for service in SERVICES), "screening", "catalogue", "bootstrap"])
def test_every_job_knows_the_owner_and_no_service_does(name: str, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = CONTAINERS[name]
    service = job.said["command"][0]

    assert f"{service.upper()}_OWNER_PASSWORD_FILE" in job.environment
    assert f"{service.upper()}_OWNER_PASSWORD_FILE" not in CONTAINERS[service].environment
    owner = settings_of(job, secrets, monkeypatch).model_dump()["owner_password"]
    assert owner.get_secret_value() == (secrets / "owners" / service).read_text()


def test_each_process_is_told_what_onebox_tells_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for traces in ("PARTNERDECK_TRACES_URL", "PARTNERDECK_TRACES_SHARE"):
        monkeypatch.delenv(traces, raising=False)
    told = {name: environment.serving(name, home) for name in (*SERVICES, "gateway")}
    told |= {f"migrate-{service}": environment.owning(service, home) for service in SERVICES}
    told |= {"bootstrap": environment.bootstrapping(home), "billing": environment.billing(home), "console": environment.console(home)}
    told["product"] = environment.product(home)
    told |= {"screening": environment.owning("customers", home), "catalogue": environment.owning("licensing", home)}

    for name, said in told.items():
        here = {variable.removesuffix("_FILE") for variable in CONTAINERS[name].environment}
        assert here == {variable for variable in said if variable.startswith(OWN)}, name


def test_the_same_processes_and_jobs_run_as_in_onebox(home: Home) -> None:
    there = {each.name for each in (*servers(home), *errands(home))}

    assert set(CONTAINERS) == there | {"secrets", "databases", "operator"}


@pytest.mark.parametrize("container", [one for one in ours() if one.name not in RUN_BY_PATH], ids=lambda one: one.name)
def test_every_command_exists(container: Container, secrets: Path) -> None:
    module, verb, *arguments = container.command(secrets)
    app = importlib.import_module(f"{module}.__main__" if "." not in module else module).app
    group = typer.main.get_group(app)

    assert verb in group.commands
    group.commands[verb].make_context(verb, arguments)


def test_images_are_pinned_to_a_version() -> None:
    tags = {name: one.said["image"].rpartition(":")[2] for name, one in CONTAINERS.items() if one.said["image"] != OURS}

    assert set(tags) == {"postgres", "kafka", "mail"}
    assert all(any(letter.isdigit() for letter in tag) for tag in tags.values()), tags


def test_our_image_is_built_once_and_never_fetched() -> None:
    building = [one for one in ours() if "build" in one.said]

    assert [one.name for one in building] == ["secrets"]
    assert (ROOT / building[0].said["build"]["dockerfile"]).is_file()
    assert {one.said["pull_policy"] for one in ours()} == {"build", "never"}


@pytest.mark.parametrize("container", list(ours()), ids=lambda one: one.name)
def test_our_containers_have_no_rights_they_do_not_need(container: Container) -> None:
    assert container.said["read_only"] is True
    assert container.said["cap_drop"] == ["ALL"]
    assert container.said["security_opt"] == ["no-new-privileges:true"]
    assert container.said.get("user") == ("0:0" if container.name == "secrets" else None)


def test_no_secret_stands_in_an_environment() -> None:
    for container in CONTAINERS.values():
        for name in container.environment:
            secret = any(word in name for word in ("PASSWORD", "SECRET", "_KEY"))
            assert not secret or name.endswith(("_FILE", "_KEYS_URL")), f"{container.name}: {name}"


def test_nobody_sees_the_secrets_of_another() -> None:
    seen = {
        one.name: {mount.source.removeprefix("secrets-") for mount in one.mounts if mount.source.startswith("secrets-")}
        for one in CONTAINERS.values()
        if one.name not in {"secrets", "databases"}
    }

    assert {name: seen[name] for name in SERVICES} == {service: {service} for service in SERVICES}
    assert seen["console"] == {"console"}
    assert seen["gateway"] == seen["kafka"] == seen["mail"] == seen["topics"] == set()
    assert (seen["postgres"], seen["billing"], seen["operator"]) == ({"postgres"}, {"billing"}, {"owners"})
    others = [one for one in CONTAINERS.values() if one.name != "secrets"]
    assert all(mount.read_only or mount.target in KEPT for one in others for mount in one.mounts)


def test_only_this_machine_reaches_the_ports() -> None:
    ports = {name: one.said["ports"] for name, one in CONTAINERS.items() if "ports" in one.said}

    assert set(ports) == {"gateway", "console", "mail"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_what_is_waited_for_can_come() -> None:
    for container in CONTAINERS.values():
        for name, condition in container.needs.items():
            awaited = CONTAINERS[name].said
            assert condition != "service_healthy" or "healthcheck" in awaited, f"{container.name} waits for {name}"
            assert (condition == "service_completed_successfully") is (awaited["restart"] == "no"), f"{container.name} waits for {name}"


def test_nothing_begins_before_what_it_needs() -> None:
    def before(name: str) -> set[str]:
        direct = set(CONTAINERS[name].needs)
        return direct.union(*(before(other) for other in direct))

    for service in SERVICES:
        assert {"secrets", "postgres", "kafka", "databases", "topics", f"migrate-{service}"} <= before(service)
    assert before("gateway") >= {*SERVICES, "bootstrap", "screening", "catalogue"}
    assert {"databases", "topics"} <= before("billing")


def test_volumes_are_declared_and_files_are_there() -> None:
    sources = {mount.source for one in CONTAINERS.values() for mount in one.mounts}

    assert {source for source in sources if not source.startswith("./")} == set(WHOLE["volumes"])
    assert all((ROOT / source).exists() for source in sources if source.startswith("./"))
