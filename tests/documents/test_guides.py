"""The guide to a feature is the feature: each piece of code in it stands in the file that it names, and all of it is short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/a-feature-in-an-hour.md"
PIECES = re.findall(r"^```python (\S+)\n(.*?)\n```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
MOST_LINES = 150


@pytest.mark.parametrize(("file", "code"), PIECES, ids=[file for file, _ in PIECES])
def test_the_code_of_the_guide_is_the_code(file: str, code: str) -> None:
    assert f"\n{code}\n" in f"\n{(ROOT / file).read_text(encoding='utf-8')}"


def test_files_that_the_feature_has_for_itself_are_shown_whole() -> None:
    shown = {file: code for file, code in PIECES if "timeline" in file or "tagging" in file}

    assert len(shown) == 7
    for file, code in shown.items():
        assert code.strip() == (ROOT / file).read_text(encoding="utf-8").strip()


def test_a_feature_costs_little() -> None:
    lines = [line for _, code in PIECES for line in code.splitlines()]
    written = [line for line in lines if line.strip() and not line.startswith(("from ", "import "))]

    assert 100 < len(written) <= MOST_LINES, len(written)
