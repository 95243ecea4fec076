"""The calculator is pure: no clock, no database, no floats, no randomness, and nothing of the service around it."""

import ast
from pathlib import Path

import pytest

import licensing.billing

MODULES = sorted(Path(licensing.billing.__file__).parent.glob("*.py"))
ALLOWED = {"babel", "calendar", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "itertools", "licensing"}
ALLOWED |= {"pydantic", "pydantic_core", "re", "typing", "uuid", "zoneinfo"}
AT_THE_EDGE = {"argparse", "json", "pathlib", "sys"}
FORBIDDEN_NAMES = {"now", "today", "utcnow", "uuid4", "uuid7", "open", "print"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_of_the_calculator_reaches_for_nothing_outside(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imports |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
    }
    floats = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]

    edge = AT_THE_EDGE if module.stem == "__main__" else set()
    assert {str(name).split(".")[0] for name in imports} <= ALLOWED | edge
    assert all(str(name).startswith("licensing.billing") for name in imports if str(name).startswith("licensing"))
    assert not names & FORBIDDEN_NAMES
    assert floats == []
