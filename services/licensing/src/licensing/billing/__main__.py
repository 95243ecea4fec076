"""``python -m licensing.billing FILE`` rates a scenario file and prints the lines as JSON.

Exit status 0: everything came out as the file expects (or it expects nothing); 1: it did not, and ``differences`` say
where; 2: the file is not a scenario file. ``--schema`` prints the JSON Schema of the file.
"""

import argparse
import json
import sys
from pathlib import Path

from pydantic import ValidationError

from licensing.billing.scenarios import differences, rate
from licensing.billing.schema import ScenarioFile


def schema_text() -> str:
    return json.dumps(ScenarioFile.model_json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m licensing.billing", description="Rate a scenario file and print its lines as JSON.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, help="a scenario file; see --schema")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of a scenario file")
    asked = parser.parse_args(arguments)
    if asked.schema:
        sys.stdout.write(schema_text())
        return 0
    try:
        scenario = ScenarioFile.model_validate_json(asked.file.read_bytes())
        ratings = [(case, rate(case)) for case in scenario.cases]
    except (OSError, ValueError, OverflowError) as problem:
        sys.stderr.write(f"{asked.file}: {_in_words(problem)}\n")
        return 2
    found = [differences(case, rating) for case, rating in ratings]
    cases = [
        {**rating.model_dump(mode="json", exclude_none=True), "differences": different}
        for (_, rating), different in zip(ratings, found, strict=True)
    ]
    sys.stdout.write(json.dumps({"id": scenario.id, "cases": cases}, indent=2, ensure_ascii=False) + "\n")
    return 1 if any(found) else 0


def _in_words(problem: Exception) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "; ".join(f"{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors())


if __name__ == "__main__":
    sys.exit(main())
