"""Every wall between packages stands, and each refuses the import that it is there to refuse."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FORBIDDEN = {
    "ground": ("contracts/records.py", "import chassis.ids"),
    "contracts": ("contracts/records.py", "import sqlalchemy"),
    "beside": ("onebox/tour.py", "import customers.errors"),
    "cycles": ("chassis/ids.py", "import chassis.due"),
    "customers": ("customers/sessions.py", "import customers.users"),
    "licensing": ("licensing/rules/orders.py", "import licensing.trials"),
    "reporting": ("reporting/tables/customer_overview.py", "import reporting.rules.attention"),
    "notifications": ("notifications/welcome.py", "import notifications.deliveries"),
    "gateway": ("gateway/circuits.py", "import gateway.door"),
    "features": ("licensing/trials.py", "import fastapi"),
}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of every package, to plant imports in."""
    copy = tmp_path_factory.mktemp("walls")
    for source in [*ROOT.glob("shared/*/src/*"), *ROOT.glob("services/*/src/*"), *ROOT.glob("deploy/*/src/*")]:
        if source.is_dir() and not source.name.endswith(".egg-info"):
            shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def lint(packages: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run(  # noqa: S603 (our own tool)
        [
            str(Path(sys.executable).parent / "lint-imports"),
            "--config",
            str(ROOT / "pyproject.toml"),
            "--cache-dir",
            str(packages.with_name("cache")),
            *chosen,
        ],
        env=os.environ | {"PYTHONPATH": str(packages)},
        cwd=packages,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_wall_stands(packages: Path) -> None:
    report = lint(packages)

    assert report.returncode == 0, report.stdout


def test_every_wall_has_an_import_that_it_refuses() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(FORBIDDEN)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_forbidden_import_is_refused(packages: Path, contract: str) -> None:
    file, planted = FORBIDDEN[contract]
    module = packages / file
    honest = module.read_text()
    module.write_text(f"{honest}\n{planted}\n")
    try:
        report = lint(packages, contract)
    finally:
        module.write_text(honest)

    assert report.returncode == 1, report.stdout
    assert "BROKEN" in report.stdout


def test_a_new_file_needs_a_room(packages: Path) -> None:
    homeless = packages / "licensing" / "homeless.py"
    homeless.write_text("")
    try:
        report = lint(packages, "licensing")
    finally:
        homeless.unlink()

    assert report.returncode == 1, report.stdout
