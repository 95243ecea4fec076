"""Reading YAML that somebody wrote by hand: bounded, without aliases, keys said once, numbers as they were written.

All that is wrong is named at once, each with its place.
"""

import re
from pathlib import Path
from typing import Any, Final, override

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, ScalarNode

_LARGEST: Final = 1_000_000
_DEEPEST: Final = 20


class UnreadableFile(Exception):
    """The file is not what it should be; ``problems`` are sentences, each with its place."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Final = problems


class _Loader(yaml.SafeLoader):
    """No aliases (a small file could unfold to gigabytes), no key twice, no deep nesting."""

    _depth = 0

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: Any = event.start_mark
        if isinstance(event, yaml.events.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not read", mark)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.composer.ComposerError(None, None, "nested too deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    @override
    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        known = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, ScalarNode)):
            if key.value in known:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is said twice", key.start_mark)
            known.add(key.value)
        return super().construct_mapping(node, deep)


_BOOL: Final = "tag:yaml.org,2002:bool"
_AS_WRITTEN: Final = frozenset({_BOOL, "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp"})
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _AS_WRITTEN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|false)$"), list("tf"))  # yes and no are words, as in YAML 1.2


def read[D: BaseModel](path: Path, shape: type[D]) -> D:
    """The file's content.

    Raises:
        UnreadableFile: it is missing, too large, no YAML, or not of this shape.
    """
    try:
        return shape.model_validate(_parsed(path))
    except ValidationError as wrong:
        raise UnreadableFile(*(f"{_place(error['loc'])}: {error['msg']}" for error in wrong.errors(include_url=False))) from wrong


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise UnreadableFile(f"{path}: is larger than {_LARGEST} bytes")
        return yaml.load(content.decode(), Loader=_Loader)  # noqa: S506 (a SafeLoader, only stricter)
    except OSError as unread:
        raise UnreadableFile(f"{path}: {unread.strerror}") from unread
    except UnicodeDecodeError as unread:
        raise UnreadableFile(f"{path}: is not UTF-8 text") from unread
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        raise UnreadableFile(f"line {mark.line + 1}, column {mark.column + 1}: {wrong.problem}" if mark else str(wrong.problem)) from wrong
    except (yaml.YAMLError, ValueError) as wrong:
        raise UnreadableFile(f"{path}: {wrong}") from wrong


def _place(steps: tuple[int | str, ...]) -> str:
    """``offers[2].trial.duration``."""
    place = ""
    for step in steps:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else step
    return place or "the file"
